/** What stands behind the "#" of a link that was given out: the token of the set-up link, or one that sets a named user's password anew. */
export type LinkToken =
  | { readonly kind: 'none' }
  | { readonly kind: 'set-up'; readonly token: string }
  | { readonly kind: 'reset'; readonly token: string; readonly user: string };

const nameIn = (text: string): string | undefined => {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder().decode(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)));
  } catch {
    return undefined;
  }
};

export const readLinkToken = (hash: string): LinkToken => {
  const token = hash.replace(/^#/, '');
  if (!/^[A-Za-z0-9_.-]{20,400}$/.test(token)) return { kind: 'none' };
  const dot = token.indexOf('.');
  if (dot < 0) return { kind: 'set-up', token };
  const user = nameIn(token.slice(0, dot));
  return user === undefined ? { kind: 'none' } : { kind: 'reset', token, user };
};
