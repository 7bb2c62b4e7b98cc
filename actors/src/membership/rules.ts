/** The decisions of this room that guarantee something, each a pure function, so that a wrong variant of each can be tried against the tests. */
export const rules = {};

export type MembershipRules = typeof rules;
