/** One static shell for every page: the browser renders, and everything after it comes over one WebSocket. */
export const ssr = false;
export const prerender = 'auto';
