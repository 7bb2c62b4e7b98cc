/** Which host and claim a roster entry of another node speaks of. Peers are trusted, but not to be of the same version. */
export const readRosterClaim = (
  payload: Uint8Array,
): { readonly hostId: string; readonly claim: number } | undefined => {
  if (payload.length === 0) return undefined; // forgotten there
  try {
    const entry: unknown = JSON.parse(text.decode(payload));
    if (typeof entry !== 'object' || entry === null || !('hostId' in entry) || !('claim' in entry)) return undefined;
    const { hostId, claim } = entry;
    return typeof hostId === 'string' && Number.isSafeInteger(claim) ? { hostId, claim: claim as number } : undefined;
  } catch {
    return undefined;
  }
};

const text = new TextDecoder();
