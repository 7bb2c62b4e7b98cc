/**
 * Whether a browser reached us over https. A proxy ends the encryption, so the connection itself does not tell; what the browser says
 * of its page does: the Origin of the request, and without one (browsers send none with a plain GET) the name it used.
 */
export type Scheme = 'http' | 'https';

/** Name of the cookie by scheme. */
export const cookieNames: Readonly<Record<Scheme, string>> = { https: '__Host-thrum', http: 'thrum' };

/** `origins` are those we go by. A name that stands there with both schemes is taken as http when there is no Origin. */
export const schemeOf = (
  request: { readonly host: string | undefined; readonly origin: string | undefined },
  origins: ReadonlySet<string>,
): Scheme => {
  if (request.origin !== undefined) return request.origin.startsWith('https://') ? 'https' : 'http';
  const host = (request.host ?? '').toLowerCase();
  return origins.has(`https://${host}`) && !origins.has(`http://${host}`) ? 'https' : 'http';
};
