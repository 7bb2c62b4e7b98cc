/**
 * How the page is built and served in development. The page is a static shell (src/routes/+layout.ts): no server code of ours goes
 * through this build, so nothing of SvelteKit's holds server state. Development attaches the same gateway as server.ts does.
 */
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { defineConfig, type Plugin } from 'vite';

/** `npm run dev`: the gateway on Vite's own HTTP server. A computed URL keeps the server's code out of this file's bundle. */
const gateway = (): Plugin => ({
  name: 'thrum-gateway',
  apply: 'serve',
  async configureServer(vite) {
    if (!vite.httpServer) return;
    const entry = new URL('./src/lib/server/development.ts', import.meta.url).href;
    const { attachInDevelopment } = (await import(/* @vite-ignore */ entry)) as {
      attachInDevelopment: (http: Server) => {
        answers(request: IncomingMessage, response: ServerResponse): boolean;
        stop(): Promise<void>;
      };
    };
    const attached = attachInDevelopment(vite.httpServer as Server);
    vite.middlewares.use((request, response, next) => {
      if (!attached.answers(request, response)) next();
    });
    vite.httpServer.once('close', () => void attached.stop());
  },
});

export default defineConfig({
  plugins: [
    gateway(),
    sveltekit({
      adapter: adapter({ precompress: true }),
      // The shell is served for every page of the app, so what it refers to must not depend on where it is.
      paths: { relative: false },
      // Nothing is fetched behind the reader's back: after the first load everything goes over the socket.
      version: { pollInterval: 0 },
      // Everything comes from this server. The one inline script is SvelteKit's own and is named by its hash.
      csp: {
        mode: 'hash',
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'style-src': ['self'],
          // The style attribute of SvelteKit's own announcer of pages (#svelte-announcer); without it screen readers' text is seen.
          'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
          'img-src': ['self', 'data:'],
          'font-src': ['self'],
          'connect-src': ['self'],
          'manifest-src': ['self'],
          'base-uri': ['none'],
          'form-action': ['none'],
          'frame-ancestors': ['none'],
        },
      },
    }),
  ],
});
