/** Which ingest node serves a host, as the web nodes are told. */
import { io } from 'socket.io-client';
import type { Greeting } from '@thrum/actors/wire/web-to-browser';
import type { Mesh, MeshProcess } from '../../infra/local/start-mesh.ts';
import { cookieFor } from './sign-in.ts';

/** The first message a page gets from the dashboard at this address. */
export const greetingOf = async (url: string): Promise<Greeting> => {
  const cookie = await cookieFor(url);
  return new Promise((resolve, reject) => {
    const socket = io(url, { transports: ['websocket'], extraHeaders: { origin: url, cookie }, forceNew: true });
    const giveUp = setTimeout(() => {
      socket.close();
      reject(new Error(`${url} sent no greeting within 10 s`));
    }, 10_000);
    socket.once('greeting', (greeting: Greeting) => {
      clearTimeout(giveUp);
      socket.close();
      resolve(greeting);
    });
  });
};

export const ownerOf = async (mesh: Mesh, hostId: string): Promise<MeshProcess> => {
  const { roster, ingest } = await greetingOf(mesh.dashboardUrl);
  const entry = roster.find((one) => one.hostId === hostId);
  const name = ingest.find((node) => node.id === entry?.node)?.name;
  const owner = mesh.ingest.find((process) => process.name === name);
  if (!owner)
    throw new Error(
      `No ingest node serves ${hostId} (its node is ${entry?.node ?? 'unknown'}, ${name ?? 'not linked'}).`,
    );
  return owner;
};
