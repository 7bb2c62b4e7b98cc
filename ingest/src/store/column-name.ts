/**
 * Names of a target's fields and metrics beside the platform's own columns. A declared name that is taken (or could be mistaken
 * for a moved one) is moved out of the way with a prefix; different names stay different.
 */
const taken = new Set(['cluster', 'host', 'host_id', 'label', 'labels', 'm', 'time_ms']);

export const columnName = (declared: string): string =>
  taken.has(declared) || declared.startsWith('own_') ? `own_${declared}` : declared;
