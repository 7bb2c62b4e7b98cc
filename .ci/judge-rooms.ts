/**
 * Judges imports by a table of rooms. Pure: takes the table and the sources, returns one sentence per broken rule.
 * Every source file must belong to a room, so that nothing escapes by its name or its place.
 */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { importsOf, type Import } from './imports.ts';

export type RoomTable = {
  readonly rooms: Readonly<Record<string, readonly string[]>>;
  readonly filesOnly: readonly string[];
  readonly browserRooms: readonly string[];
  readonly notForBrowsers: readonly string[];
  readonly outside: Readonly<Record<string, readonly string[]>>;
  readonly behindOneDoor: Readonly<Record<string, readonly string[]>>;
};
/** Path from the repository root, with "/", to the text of each file. */
export type Sources = ReadonlyMap<string, string>;

const testing = 'actors/src/testing';
const isTest = (file: string): boolean => /\.(test|contract|bench|spec)\.ts$|^web\/test\//.test(file);
const builtin = new Set(builtinModules);

/** The room a path lies in: the deepest one listed; a room of `filesOnly` has only what lies directly in its folder. */
export const roomOf = (table: RoomTable, path: string): string | undefined =>
  Object.keys(table.rooms)
    .toSorted((a, b) => b.length - a.length)
    .find(
      (room) =>
        path.startsWith(`${room}/`) && !(table.filesOnly.includes(room) && path.slice(room.length + 1).includes('/')),
    );

const workspacePackage = /^@thrum\/([^/]+)(?:\/(.*))?$/;

/** Where an import leads inside the repository; `undefined` for outside packages. */
const pathOf = (file: string, specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier);
  if (specifier.startsWith('#lib/')) return `web/src/lib/${specifier.slice('#lib/'.length)}`;
  const [, name, rest = ''] = workspacePackage.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  return name === 'actors' ? `actors/src/${rest}.ts` : `${name}/${rest}`;
};

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

export const judgeRooms = (table: RoomTable, sources: Sources): string[] => {
  const order = Object.keys(table.rooms);
  const complaints: string[] = [];
  for (const [room, allowed] of Object.entries(table.rooms))
    for (const other of allowed)
      if (order.indexOf(other) === -1 || order.indexOf(other) >= order.indexOf(room))
        complaints.push(`rooms.ts: ${room} lists ${other}, which does not stand above it`);

  const imports = new Map<string, readonly Import[]>();
  for (const [file, text] of sources) imports.set(file, importsOf(file, text));

  for (const [file, found] of imports) {
    const from = roomOf(table, file);
    if (from === undefined) {
      complaints.push(`${file}: belongs to no room of .ci/rooms.ts`);
      continue;
    }
    const allowed = isTest(file) ? [...below(table, from), testing] : [from, ...(table.rooms[from] ?? [])];
    for (const { specifier, typeOnly } of found) {
      const path = pathOf(file, specifier);
      if (path === undefined) {
        complaints.push(...judgeOutside(table, file, from, specifier, typeOnly));
        continue;
      }
      const to = roomOf(table, path);
      if (to === undefined) {
        if (!isNoCode(path)) complaints.push(`${file}: ${specifier} lies in no room`);
      } else if (!allowed.includes(to)) complaints.push(`${file}: ${from} may not import ${to}`);
      else if (table.browserRooms.includes(from) && to !== from && !typeOnly && !isTest(file)) {
        const trail = trailToForbidden(table, imports, path);
        if (trail)
          complaints.push(
            `${file}: a browser would load ${trail} by way of ${specifier}: use \`import type\`, or move what it needs to a file without it`,
          );
      }
    }
  }
  return complaints;
};

/** The room and everything it stands on: what a test of it may set up. */
const below = (table: RoomTable, room: string): string[] => [
  room,
  ...(table.rooms[room] ?? []).flatMap((other) => below(table, other)),
];

/** Not code of ours: what SvelteKit and Vite make, and styles. */
const isNoCode = (path: string): boolean =>
  path.startsWith('web/build/') || path.includes('/$types') || path.endsWith('.css');

const judgeOutside = (table: RoomTable, file: string, from: string, specifier: string, typeOnly: boolean): string[] => {
  const name = packageOf(specifier);
  const isNode = specifier.startsWith('node:') || builtin.has(name);
  const complaints: string[] = [];
  const doors = table.behindOneDoor[name];
  if (doors && !typeOnly && !isTest(file) && !doors.some((door) => file.startsWith(door)))
    complaints.push(`${file}: only ${doors.join(', ')} may import ${name}`);
  const few = table.outside[from];
  if (few && !isTest(file) && !few.includes(name)) complaints.push(`${file}: ${from} may not import ${specifier}`);
  if (isNode && table.browserRooms.includes(from) && !isTest(file))
    complaints.push(`${file}: runs in a browser, which has no ${specifier}`);
  return complaints;
};

/** Follows what is loaded at run time from `path` on; returns the files up to a package that browsers must not load. */
const trailToForbidden = (
  table: RoomTable,
  imports: ReadonlyMap<string, readonly Import[]>,
  path: string,
  seen = new Set<string>(),
): string | undefined => {
  if (seen.has(path)) return undefined;
  seen.add(path);
  for (const { specifier, typeOnly } of imports.get(path) ?? []) {
    if (typeOnly) continue;
    if (table.notForBrowsers.includes(packageOf(specifier))) return `${packageOf(specifier)} (${path})`;
    const next = pathOf(path, specifier);
    const trail = next === undefined ? undefined : trailToForbidden(table, imports, next, seen);
    if (trail !== undefined) return trail;
  }
  return undefined;
};
