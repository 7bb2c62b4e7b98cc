/**
 * Who is alive is known: each death and leave is reported once, after its join; nobody that lives and is reached is taken for dead, least of all by
 * one that stood still itself; at rest all views are the truth; a killed node is known within 1 s, a silent one within 6 s, one that leaves at once.
 */
import type { GuaranteeMaker } from '../guarantee.ts';
import type { SimNode } from '../mesh.ts';
import { lossy, ofDoor, ofNode, ofPair } from '../troubles.ts';

/** Nothing was wrong with a node for so long, so nobody has a reason to take it for dead. */
const soundMs = 10_000;
/** Shorter silence is nobody's death. */
const patienceMs = 4000;
const seenWithinMs = { kill: 1000, vanish: 6000, leave: 300 } as const;
/** A delay of the network and the step of looking. */
const slackMs = 350;

type View = { readonly by: SimNode; readonly present: Map<string, number>; readonly gone: Set<string> };

type Expected = {
  readonly view: View;
  readonly node: SimNode;
  readonly how: string;
  readonly dueMs: number;
  readonly withinMs: number;
};

export const memberViews: GuaranteeMaker = {
  name: 'member-views',
  works: false,
  make: ({ mesh, broken, note }) => {
    const views = new Map<number, View>();
    let expected: Expected[] = [];

    const isSound = (index: number): boolean => mesh.isSound(index, soundMs);
    /** Somebody else has had the accused on the line and could be asked, though the accuser may not reach it. */
    const hasWitness = (by: number, accused: number): boolean =>
      mesh.troubles.wasFine(lossy, soundMs) &&
      mesh.troubles.wasFine(ofNode(accused), soundMs) &&
      mesh
        .awake()
        .some(
          ({ index }) =>
            index !== by &&
            index !== accused &&
            mesh.troubles.wasFine(ofNode(index), soundMs) &&
            mesh.troubles.wasFine(ofPair(index, accused), soundMs) &&
            mesh.troubles.wasFine(ofPair(index, by), soundMs),
        );
    /** The accuser has the accused on the line itself. */
    const hears = (by: number, accused: number): boolean =>
      [lossy, ofNode(by), ofNode(accused), ofPair(by, accused)].every((what) => mesh.troubles.wasFine(what, soundMs));
    /** Whatever befell the accused began a moment ago. */
    const isHasty = (accused: number): boolean =>
      mesh.troubles.wasFine(lossy, soundMs) &&
      mesh.troubles.wasFine(ofDoor(accused), soundMs) &&
      [ofNode(accused), ...[...mesh.running.keys()].map((other) => ofPair(other, accused))].every((what) =>
        mesh.troubles.wasFine(what, soundMs, patienceMs),
      );
    const judgeDeath = (by: SimNode, accused: SimNode): void => {
      const words = `${by.life.name} takes ${accused.life.name} for dead, which lives`;
      if (isSound(accused.index)) broken(`${words} and is reached by all`);
      else if (hears(by.index, accused.index)) broken(`${words} and which it hears itself`);
      else if (hasWitness(by.index, accused.index)) broken(`${words} and has a witness`);
      else if (isHasty(accused.index)) broken(`${words} and was heard less than ${patienceMs} ms ago`);
    };

    const watch = (node: SimNode, view: View): void => {
      node.rooms?.membership.onChange({
        joined: ({ id }, incarnation) => {
          note(`${node.life.name} sees ${id} join (${incarnation})`);
          const before = view.present.get(id);
          if (before !== undefined)
            broken(`${node.life.name}: ${id} joined as ${incarnation} while it is there as ${before}`);
          if (view.gone.has(`${id} ${incarnation}`))
            broken(`${node.life.name}: ${id} ${incarnation} joined after it was gone`);
          view.present.set(id, incarnation);
        },
        gone: ({ id }, incarnation, why) => {
          note(`${node.life.name} sees ${id} go: ${why} (${incarnation})`);
          if (view.gone.has(`${id} ${incarnation}`))
            broken(`${node.life.name}: ${id} ${incarnation} is gone for the second time`);
          if (view.present.get(id) !== incarnation)
            broken(`${node.life.name}: ${id} ${incarnation} is gone and was never there`);
          view.gone.add(`${id} ${incarnation}`);
          view.present.delete(id);
          const accused = mesh.byId(id);
          if (why === 'left' && accused && !accused.leaving && accused.rooms?.membership.incarnation() === incarnation)
            broken(`${node.life.name} says that ${id} left, and it did not`);
          if (why === 'dead' && accused?.rooms?.membership.incarnation() === incarnation) judgeDeath(node, accused);
        },
        changed: (member) => note(`${node.life.name} sees ${member.node.id} ${member.state}: ${member.why}`),
      });
    };

    const expect = (node: SimNode, how: keyof typeof seenWithinMs): void => {
      // Only when nothing else is wrong: otherwise faults may cover each other.
      const others = [...mesh.running.values()].filter((other) => other !== node);
      if (!mesh.troubles.wasFine(lossy, soundMs) || !others.every((other) => isSound(other.index))) return;
      // Nor is a witness missing, of whom it is not known yet.
      const nowMs = mesh.time.nowMs();
      if (mesh.all.some((other) => other !== node && other.ended && nowMs - other.ended.atMs < soundMs)) return;
      const withinMs = seenWithinMs[how] + slackMs + 4 * mesh.plan.delayMs.max;
      for (const view of views.values())
        if (!view.by.ended && view.by !== node && view.present.has(node.id))
          expected.push({ ...{ view, node, how, withinMs }, dueMs: mesh.time.nowMs() + withinMs });
    };

    const unsettled = (): string | undefined => {
      for (const node of mesh.awake()) {
        const seen = new Map(node.rooms?.membership.members().map((member) => [member.node.id, member]));
        for (const other of mesh.awake()) {
          if (other === node) continue;
          const member = seen.get(other.id);
          seen.delete(other.id);
          if (member?.state !== 'alive') return `${node.life.name} sees ${other.id} ${member?.state ?? 'nowhere'}`;
          if (member.incarnation !== other.rooms?.membership.incarnation())
            return `${node.life.name} knows ${other.id} as ${member.incarnation}, not ${String(other.rooms?.membership.incarnation())}`;
        }
        for (const [id, { state }] of seen) return `${node.life.name} sees ${id} ${state}, which does not run`;
      }
      return undefined;
    };

    return {
      started: (node) => {
        const view: View = { by: node, present: new Map(), gone: new Set() };
        views.set(node.start, view);
        watch(node, view);
      },
      left: (node) => expect(node, 'leave'),
      ended: (node) => {
        if (node.ended && node.ended.how !== 'leave') expect(node, node.ended.how);
      },
      look: () => {
        const nowMs = mesh.time.nowMs();
        expected = expected.filter(({ view, node, how, dueMs, withinMs }) => {
          // Who has to agree may not be in trouble meanwhile either.
          const sound = [...mesh.running.keys()].every((index) => isSound(index));
          if (view.by.ended || !sound || (node.ended && mesh.byId(node.id))) return false;
          if (nowMs < dueMs) return true;
          if (view.present.has(node.id))
            broken(`${view.by.life.name} has not seen the end (${how}) of ${node.life.name} within ${withinMs} ms`);
          return false;
        });
      },
      settles: [{ what: 'every node sees exactly those that run', withinMs: 3000, after: 'healthy', unsettled }],
    };
  },
};
