/** When faults are over, all nodes that run find each other again. */
import type { GuaranteeMaker } from '../guarantee.ts';

export const linksForm: GuaranteeMaker = {
  name: 'links-form',
  works: false,
  make: ({ mesh }) => ({
    settles: [
      {
        what: 'all nodes that run are linked to each other and to nobody else',
        withinMs: 12_000,
        after: 'rest',
        unsettled: () => mesh.unlinked(),
      },
    ],
  }),
};
