/** Names signals that a computation depends on without using their values, so that it is done again when one of them changes. */
export const dependsOn = (..._signals: readonly unknown[]): void => undefined;
