/**
 * The texts of a presence document: JSON arrays that begin with a letter and a host id. The last one about a thing counts.
 *   s  how an agent's connection stands; with a node id at the end when it is adopted (said by an heir of the node that served it)
 *   f  what rarely changes: machine, cluster, labels, version
 *   c  one container
 *   r  removed: the host and all its containers, or one container
 * Kinds that come later are kept and passed on, and mean nothing here.
 */
import { isHostId } from '../wire/host-id.ts';
import type { Connection, RosterEntry } from '../wire/roster.ts';

export type ContainerEntry = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly health: string;
  readonly sinceMs: number;
};

export type Status = Pick<
  RosterEntry,
  'hostId' | 'epoch' | 'attempt' | 'connection' | 'sinceMs' | 'clockOffsetMs' | 'degraded'
> & {
  /** The node that served the host last, when not the writer but its heir says this. */
  readonly adoptedFrom: string | undefined;
};
export type Facts = Pick<RosterEntry, 'machine' | 'cluster' | 'labels' | 'agentVersion' | 'periodMs'>;

export type Line =
  | { readonly kind: 'status'; readonly hostId: string }
  | { readonly kind: 'facts'; readonly hostId: string }
  | { readonly kind: 'container'; readonly hostId: string; readonly containerId: string }
  | { readonly kind: 'removed'; readonly hostId: string; readonly containerId: string | undefined }
  | { readonly kind: 'unknown' };

/** One text in characters: labels at their bound take 9,000. */
export const maxLineChars = 16 * 1024;
const maxContainerIdChars = 128;

const letterOf: Readonly<Record<Connection, string>> = {
  connected: 'c',
  silent: 's',
  reconnecting: 'r',
  down: 'd',
  left: 'l',
};
const connectionOf = new Map(Object.entries(letterOf).map(([name, letter]) => [letter, name as Connection]));

export const writeStatus = (status: Status): string => {
  const { hostId, epoch, attempt, connection, sinceMs, clockOffsetMs, degraded, adoptedFrom } = status;
  const line: unknown[] = ['s', hostId, epoch, attempt, letterOf[connection], sinceMs, clockOffsetMs];
  if (degraded.length > 0 || adoptedFrom !== undefined) line.push(degraded);
  if (adoptedFrom !== undefined) line.push(adoptedFrom);
  return JSON.stringify(line);
};

export const writeFacts = (hostId: string, facts: Facts): string => {
  const { name, os, kernel, arch, model, cpu, cores, memoryBytes, virtual } = facts.machine;
  const machine = [name, os, kernel, arch, model, cpu, cores, memoryBytes, virtual];
  return JSON.stringify(['f', hostId, ...machine, facts.cluster, facts.agentVersion, facts.periodMs, facts.labels]);
};

export const writeContainer = (hostId: string, { id, name, state, health, sinceMs }: ContainerEntry): string =>
  JSON.stringify(['c', hostId, id, name, state, health, sinceMs]);

export const writeRemoved = (hostId: string, containerId?: string): string =>
  JSON.stringify(containerId === undefined ? ['r', hostId] : ['r', hostId, containerId]);

/** What every text about this container begins with. */
export const containerStart = (hostId: string, containerId: string): string =>
  `${JSON.stringify(['c', hostId, containerId]).slice(0, -1)},`;

type Fields = readonly unknown[];
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isLabels = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText);

const toStatus = (fields: Fields): Status | undefined => {
  const [, hostId, epoch, attempt, letter, sinceMs, clockOffsetMs, degraded = [], adoptedFrom] = fields;
  const connection = isText(letter) ? connectionOf.get(letter) : undefined;
  if (!isText(hostId) || !isCount(epoch) || !isCount(attempt) || connection === undefined) return undefined;
  if (!isNumber(sinceMs) || !isNumber(clockOffsetMs) || !isTexts(degraded)) return undefined;
  if (adoptedFrom !== undefined && !isText(adoptedFrom)) return undefined;
  return { hostId, epoch, attempt, connection, sinceMs, clockOffsetMs, degraded, adoptedFrom };
};

const toFacts = (fields: Fields): Facts | undefined => {
  const [, , name, os, kernel, arch, model, cpu, cores, memoryBytes, virtual, cluster, agentVersion, periodMs, labels] =
    fields;
  if (!isText(name) || !isText(os) || !isText(kernel) || !isText(arch) || !isText(model) || !isText(cpu))
    return undefined;
  if (!isNumber(cores) || !isNumber(memoryBytes) || !isText(virtual) || !isText(cluster)) return undefined;
  if (!isText(agentVersion) || !isNumber(periodMs) || !isLabels(labels)) return undefined;
  const machine = { name, os, kernel, arch, model, cpu, cores, memoryBytes, virtual };
  return { machine, cluster, labels, agentVersion, periodMs };
};

const toContainer = (fields: Fields): ContainerEntry | undefined => {
  const [, , id, name, state, health, sinceMs] = fields;
  if (!isText(id) || !isText(name) || !isText(state) || !isText(health) || !isNumber(sinceMs)) return undefined;
  return id.length <= maxContainerIdChars ? { id, name, state, health, sinceMs } : undefined;
};

const fieldsOf = (text: string): Fields | undefined => {
  if (text.length > maxLineChars) return undefined;
  try {
    const fields: unknown = JSON.parse(text);
    return Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
};

/** What a text is about, when it is well-formed all through; the one place where texts of peers are judged. */
export const readLine = (text: string): Line | undefined => {
  const fields = fieldsOf(text);
  const kind = fields?.[0];
  const hostId = fields?.[1];
  if (!fields || !isText(kind)) return undefined;
  if (!'sfcr'.includes(kind) || kind.length !== 1) return { kind: 'unknown' };
  if (!isText(hostId) || !isHostId(hostId)) return undefined;
  switch (kind) {
    case 's':
      return toStatus(fields) && { kind: 'status', hostId };
    case 'f':
      return toFacts(fields) && { kind: 'facts', hostId };
    case 'c': {
      const container = toContainer(fields);
      // Found again by how it begins: it must be written as we write it.
      if (!container || !text.startsWith(containerStart(hostId, container.id))) return undefined;
      return { kind: 'container', hostId, containerId: container.id };
    }
    default: {
      const containerId = fields[2];
      return containerId === undefined || isText(containerId) ? { kind: 'removed', hostId, containerId } : undefined;
    }
  }
};

const mustBe = <T>(value: T | undefined, text: string): T => {
  if (value === undefined) throw new Error(`BUG: an unjudged text in a presence document: ${text.slice(0, 100)}`);
  return value;
};

/** For texts that `readLine` has taken. */
export const readStatus = (text: string): Status => mustBe(toStatus(fieldsOf(text) ?? []), text);
export const readFacts = (text: string): Facts => mustBe(toFacts(fieldsOf(text) ?? []), text);
export const readContainer = (text: string): ContainerEntry => mustBe(toContainer(fieldsOf(text) ?? []), text);
