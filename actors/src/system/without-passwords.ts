/** For messages and greetings: addresses such as `https://user:password@host`, one or several in a text, without user and password. */
export const withoutPasswords = (text: string): string => text.replace(/\/\/[^/\s,]*@/g, '//***@');
