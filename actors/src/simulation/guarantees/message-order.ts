/**
 * What a node tells another over one link arrives in order, whole, at most once: each message carries the start of its sender, which of the sender's
 * links to this peer it went over, and its number there. Of one link the receiver must see 0, 1, 2 … without a gap; older links must be over.
 */
import type { GuaranteeMaker } from '../guarantee.ts';
import { nodeId } from '../../testing/start-node.ts';

const endpoint = 'simulated-order';
type Message = { readonly start: number; readonly link: number; readonly number: number; readonly padding: Uint8Array };
const maxBurst = 20;
const bigBytes = 40_000;

export const messageOrder: GuaranteeMaker = {
  name: 'message-order',
  works: true,
  make: ({ mesh, broken }) => {
    /** By sender's start and peer: the link it has now, and what was told over it. */
    const sent = new Map<string, { link: number; number: number }>();
    let links = 0;
    return {
      started: (node) => {
        const { rooms } = node;
        if (!rooms) return;
        const seen = new Map<number, { link: number; number: number }>();
        rooms.links.onPeer({
          up: (peer) => void sent.set(`${node.start} ${peer.id}`, { link: (links += 1), number: 0 }),
          down: (peer) => void sent.delete(`${node.start} ${peer.id}`),
        });
        rooms.links.serve(endpoint, (body, from) => {
          const { start, link, number } = body as Message;
          const last = seen.get(start);
          const where = `from ${from.id}#${start} at ${node.life.name}`;
          if (last && link < last.link) broken(`${where}: message ${number} of link ${link} after link ${last.link}`);
          else if (number !== (last?.link === link ? last.number + 1 : 0))
            broken(`${where}: message ${number} of link ${link} after ${last?.link === link ? last.number : 'none'}`);
          seen.set(start, { link, number });
        });
      },
      work: (node, random) => {
        const to = nodeId(Math.floor(random() * mesh.plan.nodes));
        const out = sent.get(`${node.start} ${to}`);
        if (!out) return undefined;
        const burst = 1 + Math.floor(random() * maxBurst);
        // Now and then more than what is handed to the transport at a time, so that some of it waits.
        const padding = random() < 0.1 ? bigBytes : 0;
        for (let at = 0; at < burst; at += 1) {
          const message: Message = {
            start: node.start,
            link: out.link,
            number: out.number,
            padding: new Uint8Array(padding),
          };
          // None is dropped: so little never fills an outbox.
          const droppable = random() < 0.5;
          if (node.rooms?.links.tell(to, endpoint, message, { droppable }).ok) out.number += 1;
        }
        return `${burst} messages to ${to}`;
      },
    };
  },
};
