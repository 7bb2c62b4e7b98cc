/** The command that makes a host part of this installation: with its address, without its token. */
const ingestPort = 7071;

export const joinCommand = (hostname: string): string => {
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
  return `THRUM_INGEST=http://${host}:${ingestPort} THRUM_TOKEN=@token npx node agent/src/main.ts`;
};
