/**
 * A host is known by a 128-bit id that its agent keeps on disk: written as a lower-case UUID, carried as 16 bytes in frames.
 * Host names and labels are for people; they may change and repeat.
 */
const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isHostId = (text: string): boolean => pattern.test(text);

/** Writes a host id as 16 bytes at `offset`. The id must satisfy `isHostId`. */
export const writeHostId = (bytes: Uint8Array, offset: number, hostId: string): void => {
  const hex = hostId.replaceAll('-', '');
  for (let i = 0; i < 16; i += 1) bytes[offset + i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
};

/** Reads the host id that stands as 16 bytes at `offset`. */
export const readHostId = (bytes: Uint8Array, offset: number): string => {
  let hex = '';
  for (let i = 0; i < 16; i += 1) hex += (bytes[offset + i] ?? 0).toString(16).padStart(2, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};
