/**
 * The decisions of presence that guarantee something, each alone and pure, so that the simulator can replace one at a time by a wrong variant
 * and must notice.
 */
export const rules = {};
export type PresenceRules = typeof rules;
