/**
 * Which address an attempt counts for. Behind a proxy every connection comes from the proxy; it says in X-Forwarded-For whom it speaks for, and is
 * believed only if it is one of ours. Only the last word of that header is the proxy's own: what stands before it came from outside.
 */
import { isIP } from 'node:net';

export const isLoopbackAddress = (address: string): boolean =>
  address === '::1' || address.replace(/^::ffff:/, '').startsWith('127.');

const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');

/** Some balancers say the port as well: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const withoutPort = (address: string): string =>
  /^(\d+(?:\.\d+){3}):\d+$/.exec(address)?.[1] ?? /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? address;

/** The first 64 bits: one subscriber has that many IPv6 addresses, and may use a new one for every attempt. */
const network = (address: string): string => {
  const [head = '', tail] = address.toLowerCase().split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...new Array<string>(zeros).fill('0'), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
};

export const clientAddress = (
  request: { readonly peer: string | undefined; readonly forwardedFor: string | undefined },
  proxies: ReadonlySet<string>,
): string => {
  const peer = plain(request.peer ?? '');
  const isOurs = isLoopbackAddress(peer) || proxies.has(peer);
  const last = plain(withoutPort(request.forwardedFor?.split(',').at(-1)?.trim() ?? ''));
  const address = isOurs && isIP(last) !== 0 ? last : peer;
  return isIP(address) === 6 ? network(address) : address;
};
