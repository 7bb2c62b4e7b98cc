/** What the form says before the server does, so that nobody sends a password that cannot be one. The server decides. */
export const credentialHints = { minPasswordChars: 10 } as const;
