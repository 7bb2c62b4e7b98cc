/** What an agent says of itself, held against what was found on its disk and in the store. Pure. */
import type { HostSums } from './ledger.ts';

/** Samples since its queue was made. */
export type OwnAccount = {
  readonly produced: number;
  readonly stored: number;
  readonly refused: number;
  readonly gap: number;
  readonly queued: number;
};

/** From the figures of an agent's own page; `undefined` when one is missing. */
export const accountOf = (figures: ReadonlyMap<string, number>): OwnAccount | undefined => {
  const of = (name: string): number =>
    figures.get(`thrum_agent_samples_${name}_total`) ?? figures.get(`thrum_agent_samples_${name}`) ?? Number.NaN;
  const [produced, stored, refused] = [of('produced'), of('stored'), of('refused')];
  const account = { produced, stored, refused, gap: of('gap'), queued: of('queued') };
  return Object.values(account).some(Number.isNaN) ? undefined : account;
};

/**
 * `isExact`: all it ever had went through its disk. Otherwise some was in its memory only, and what a kill took from there nobody knows: then
 * it must not claim more than there is. `toldMissing`: samples of all gaps that it told. What was given up though it is stored, because the
 * acknowledgement came too late, is a gap for the agent.
 */
export const complaintsOf = (
  name: string,
  sums: HostSums,
  account: OwnAccount | undefined,
  of: { readonly isExact: boolean; readonly toldMissing: number },
): string[] => {
  if (!account) return [`${name} told no account`];
  const { produced, stored, refused, gap, queued } = account;
  const complaints: string[] = [];
  if (produced !== stored + refused + gap + queued)
    complaints.push(
      `${name}: produced ${produced} is not stored ${stored} + refused ${refused} + gap ${gap} + queued ${queued}`,
    );
  const expect = (what: string, says: number, least: number, most = least): void => {
    if (says < least || says > most)
      complaints.push(`${name} says ${says} ${what}, found were ${least === most ? most : `${least} to ${most}`}`);
  };
  expect('queued', queued, 0);
  expect('in gaps', gap, of.toldMissing);
  if (of.isExact) {
    expect('produced', produced, sums.durable);
    expect('stored', stored, sums.stored - sums.storedInGap, sums.stored);
    expect('refused', refused, sums.refused - sums.refusedInGap, sums.refused);
    expect('in gaps', gap, sums.gap, sums.gap + sums.storedInGap + sums.refusedInGap);
  } else if (stored > sums.stored + sums.storedFromMemory)
    complaints.push(`${name} says ${stored} stored, found were ${sums.stored + sums.storedFromMemory}`);
  return complaints;
};
