/**
 * Which mounted filesystems are worth a measurement, from /proc/self/mountinfo: those that hold files on something that can fill up.
 * Left out: pseudo filesystems, what container engines and snaps mount for themselves, and further mounts of the same device (bind
 * mounts; a device is shown where its root is mounted, or else at its shortest path).
 */
import type { ProcText } from './proc-text.ts';

export type Mount = {
  readonly path: string;
  readonly device: string;
  readonly fstype: string;
  /** A server answers for it, or for a directory on the way to it: asking may hang for ever. */
  readonly remote: boolean;
};

type Line = { dev: string; root: string; path: string; fstype: string; device: string };

const pseudoTypes = new Set(
  (
    'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs erofs fusectl fuse.gvfsd-fuse fuse.lxcfs ' +
    'fuse.portal hugetlbfs iso9660 mqueue nsfs nullfs proc procfs pstore ramfs resctrl rootfs rpc_pipefs securityfs selinuxfs ' +
    'squashfs sysfs tracefs'
  ).split(' '),
);
const remoteTypes = /^(nfs|cifs|smb|fuse|9p|ceph|gluster|afs|lustre|ncp|davfs|ocfs2|gfs|beegfs|virtiofs)/;
const hiddenPaths =
  /^\/(dev|proc|sys)($|\/)|^\/(run\/(credentials|user|docker|containerd|netns|lock|snapd)|snap|etc)($|\/)|\/(docker|containers|containerd|kubelet\/pods|lxcfs)\/.+/;

/** A space, tab, line feed or backslash of a path is written as three octal digits. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const readLine = (text: ProcText): Line | undefined => {
  text.word(); // id
  text.word(); // id of the parent
  const dev = text.word();
  const root = unescape(text.word());
  const path = unescape(text.word());
  text.word(); // options
  // Optional fields of any number end with a lone dash.
  for (let word = text.word(); word !== '-'; word = text.word()) if (word === '') return undefined;
  const fstype = text.word();
  const device = unescape(text.word());
  return fstype === '' || path === '' ? undefined : { dev, root, path, fstype, device };
};

const isWorthIt = (line: Line): boolean => {
  if (pseudoTypes.has(line.fstype) || hiddenPaths.test(line.path)) return false;
  // The layers of containers are no filesystem of their own; inside of one the root is all there is.
  return line.fstype !== 'overlay' || line.path === '/';
};

const better = (a: Line, b: Line): boolean => {
  if ((a.root === '/') !== (b.root === '/')) return a.root === '/';
  return a.path.length < b.path.length;
};

const below = (path: string, ancestor: string): boolean =>
  ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`);

/** In order of their paths. Throws when no line could be read. */
export const parseMountinfo = (text: ProcText): Mount[] => {
  const lines: Line[] = [];
  for (; !text.done; text.nextLine()) {
    const line = readLine(text);
    if (line) lines.push(line);
  }
  if (lines.length === 0) throw new Error('/proc/self/mountinfo has no line of a mount.');
  // What is mounted over another at the same place hides it.
  const visible = new Map(lines.map((line) => [line.path, line]));
  const remote = [...visible.values()].filter((line) => remoteTypes.test(line.fstype));
  const byDevice = new Map<string, Line>();
  for (const line of visible.values()) {
    if (!isWorthIt(line)) continue;
    const other = byDevice.get(line.dev);
    if (!other || better(line, other)) byDevice.set(line.dev, line);
  }
  return [...byDevice.values()]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, device, fstype }) => ({
      path,
      device,
      fstype,
      remote: remote.some((server) => below(path, server.path)),
    }));
};
