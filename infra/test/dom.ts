/** A document for tests of components, by happy-dom. Layout and drawing are not in it: those belong to end-to-end tests. */
import { Window } from 'happy-dom';

const window = new Window({ url: 'http://localhost/' });
for (const name of Object.getOwnPropertyNames(window))
  if (!(name in globalThis))
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: Reflect.get(window, name) });
// Node has these too, but events must be of the document's own kind to be dispatched in it.
Object.assign(globalThis, {
  window,
  Event: window.Event,
  CustomEvent: window.CustomEvent,
  EventTarget: window.EventTarget,
});
