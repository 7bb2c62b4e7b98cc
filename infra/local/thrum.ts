#!/usr/bin/env node
/**
 * `npm run thrum -- user list`, and `user add`, `user reset` and `user remove NAME`: for who administers the machine a web node runs on. It is asked over the Unix
 * socket in its data directory; whoever may open that is trusted, so this works when nobody knows a password any more.
 */
import { askDoor, doorsIn, parseCommand, usage, wordsFor } from './local-door.ts';

const command = parseCommand(process.argv.slice(2));
if (command.kind === 'help') {
  console.log(usage);
  process.exit(0);
}
if (command.kind === 'wrong') {
  console.error(`${command.why}\n\n${usage}`);
  process.exit(2);
}
const asked = await askDoor(doorsIn(command.data), command);
const { ok, text } = wordsFor(command, asked);
(ok ? console.log : console.error)(text);
process.exitCode = ok ? 0 : 1;
