/** The first thing a schema did not like, in one short line: where, and what was expected. Never what came: it may be a secret. */
import type { ZodError } from 'zod';

const maxChars = 200;

export const firstProblem = (error: ZodError): string => {
  const issue = error.issues[0];
  if (!issue) return 'not as declared';
  return `${issue.path.map(String).join('.') || 'message'}: ${issue.message}`.slice(0, maxChars);
};
