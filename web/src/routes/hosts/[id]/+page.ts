/** Hosts come and go: their pages are never built ahead, every one is the same shell. */
export const prerender = false;
