/**
 * Finds the imports of a source file, without resolving them: static, dynamic and re-exports, in TypeScript and in the script
 * blocks of Svelte files. An import counts as `typeOnly` when nothing of it is left at run time (`import type`, `export type`,
 * `import('x').T`); `import { type A }` does not, because it still loads the module.
 */
import ts from 'typescript';

export type Import = { readonly specifier: string; readonly typeOnly: boolean };

const scriptBlock = /<script\b[^>]*>([\s\S]*?)<\/script>/g;
const markupImport = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export const importsOf = (file: string, source: string): readonly Import[] => {
  if (!file.endsWith('.svelte')) return importsOfScript(file, source);
  const scripts = Array.from(source.matchAll(scriptBlock), (match) => match[1] ?? '');
  const markup = source.replaceAll(scriptBlock, '');
  return [
    ...scripts.flatMap((script) => importsOfScript(`${file}.ts`, script)),
    ...Array.from(markup.matchAll(markupImport), (match) => ({ specifier: match[1] ?? '', typeOnly: false })),
  ];
};

const importsOfScript = (file: string, source: string): Import[] => {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean): void => {
    if (node && ts.isStringLiteralLike(node)) found.push({ specifier: node.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isExternalModuleReference(node)) add(node.expression, false);
    else if (ts.isCallExpression(node) && loads(node.expression)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, false));
  return found;
};

const loads = (callee: ts.Expression): boolean =>
  callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
