/**
 * Links whose messages to some endpoints sometimes come twice, or late and so out of order, even after the link they came over: what messages
 * passed on by others or sent again look like to a room. Only for rooms that promise to bear it.
 */
import type { Clock } from '../system/clock.ts';
import type { Handler } from '../link/endpoints.ts';
import type { Links } from '../link/links.ts';

const againWithinMs = 1500;
const lateByMs = 300;

export const unrulyLinks = (
  links: Links,
  options: { clock: Clock; rate: () => number; random: () => number; endpoints: readonly string[] },
): Links => {
  const { clock, random, rate } = options;
  const disturb =
    (handler: Handler, isServing: () => boolean): Handler =>
    (message, from) => {
      if (random() >= rate()) return handler(message, from);
      if (random() < 0.5)
        return new Promise((resolve, reject) => {
          clock.after(random() * lateByMs, () => {
            Promise.resolve(isServing() ? handler(message, from) : undefined).then(resolve, reject);
          });
        });
      clock.after(random() * againWithinMs, () => {
        // Whatever comes of it has been answered before.
        if (isServing()) void Promise.resolve(handler(message, from)).catch(() => undefined);
      });
      return handler(message, from);
    };
  return {
    ...links,
    serve: (endpoint, handler) => {
      if (!options.endpoints.includes(endpoint)) return links.serve(endpoint, handler);
      let serving = true;
      const stop = links.serve(
        endpoint,
        disturb(handler, () => serving),
      );
      return () => {
        serving = false;
        stop();
      };
    },
  };
};
