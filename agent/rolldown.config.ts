/** The agent as one file that a plain Node 24 runs: nothing to install beside it. */
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  // The WebSocket library looks for native helpers it does without.
  external: ['bufferutil', 'utf-8-validate'],
  output: { file: 'dist/thrum-agent.cjs', format: 'cjs', minify: true, codeSplitting: false },
});
