import { counter, target } from '../schema.ts';

export const network = target({
  name: 'network',
  title: 'Network',
  sentence: 'Traffic of one network interface.',
  fields: [{ name: 'interface', sentence: 'Name of the interface, such as eth0.' }],
  metrics: [
    counter('received_bytes', 'bytes', 'Bytes received.'),
    counter('sent_bytes', 'bytes', 'Bytes sent.'),
    counter('received_packets', 'count', 'Packets received.'),
    counter('sent_packets', 'count', 'Packets sent.'),
    counter('receive_errors', 'count', 'Packets received damaged.'),
    counter('send_errors', 'count', 'Packets that could not be sent.'),
    counter('receive_drops', 'count', 'Packets received and dropped for lack of room.'),
    counter('send_drops', 'count', 'Packets dropped on the way out.'),
  ],
  charts: [
    { title: 'Network traffic', metrics: ['received_bytes'], below: ['sent_bytes'] },
    { title: 'Network packets', metrics: ['received_packets'], below: ['sent_packets'] },
    {
      title: 'Network errors and drops',
      metrics: ['receive_errors', 'receive_drops'],
      below: ['send_errors', 'send_drops'],
    },
  ],
});
