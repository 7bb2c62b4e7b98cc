/** The command that makes a host part of this installation: with its address, without its token. */
const ingestPort = 7071;

export const joinCommand = (hostname: string): string => {
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
  return `THRUM_INGEST=http://${host}:${ingestPort} THRUM_TOKEN=@token npm start -w agent`;
};

/** True when the page is reached under a name that means this machine only, so that other hosts cannot use it. */
export const isThisMachine = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || hostname.startsWith('127.');
