/** The way of one agent to the balancer: passes bytes on, and can be cut, so that this agent alone has an outage. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type Link = {
  /** What the agent is given for ingest. */
  readonly url: string;
  /** From now on every connection ends at once, those that stand too. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
};

export const startLink = async (toUrl: string): Promise<Link> => {
  const { hostname, port } = new URL(toUrl);
  const open = new Set<Socket>();
  let isCut = false;
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('BUG: a server without a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut: () => {
      isCut = true;
      endAll();
    },
    mend: () => {
      isCut = false;
    },
    close: async () => {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
};
