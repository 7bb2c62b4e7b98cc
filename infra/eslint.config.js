import { defineConfig } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

/** Programs that a person starts: they speak on the terminal. Everything else says what it has to say to its log. */
const starters = [
  '.ci/check-rooms.ts',
  'agent/src/main.ts',
  'e2e/bench/**/*.ts',
  'infra/elasticsearch/*.ts',
  'infra/load/{catalogue,fleet-main}.ts',
  'infra/local/{start,mesh,mesh-main,thrum}.ts',
  'infra/test/*.ts',
  'ingest/src/main.ts',
  'web/server.ts',
];
const tests = ['**/*.{test,spec,contract,bench}.ts', 'web/test/**/*.ts'];
const maxLines = (max) => ['error', { max, skipBlankLines: false, skipComments: false }];

export default defineConfig(
  { ignores: ['**/node_modules', '**/build', '**/.svelte-kit', '**/dist', '**/coverage', '**/.thrum'] },
  ...ts.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.node, ...globals.browser },
      parserOptions: {
        projectService: true,
        tsconfigRootDir: new URL('..', import.meta.url).pathname,
        extraFileExtensions: ['.svelte'],
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': maxLines(400),
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it'] }] },
      ],
    },
  },
  { files: tests, rules: { 'max-lines': maxLines(600) } },
  { files: starters, rules: { 'no-console': 'off' } },
  { files: ['**/*.svelte', '**/*.svelte.ts'], languageOptions: { parserOptions: { parser: ts.parser } } },
  { files: ['**/*.js'], extends: [ts.configs.disableTypeChecked] },
);
