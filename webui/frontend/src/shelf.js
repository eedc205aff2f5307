// What this browser keeps so that a crash, a cut or a closed page loses nothing: drafts, recordings, files on their way.
// Every entry carries its owner: another person at the same machine does not see it.
const NAME = "loa";
const VERSION = 1;
const STORES = { drafts: "key", sounds: "key", pieces: ["sound", "n"], outbox: "url" };

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) {
        if (!request.result.objectStoreNames.contains(name)) request.result.createObjectStore(name, { keyPath });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(store, mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const change = database.transaction(store, mode);
    const request = act(change.objectStore(store));
    change.oncomplete = () => resolve(request?.result);
    change.onerror = () => reject(change.error);
    change.onabort = () => reject(change.error);
  });
}

export const put = (store, value) => run(store, "readwrite", (place) => place.put(value));
export const get = (store, key) => run(store, "readonly", (place) => place.get(key));
export const all = (store) => run(store, "readonly", (place) => place.getAll());
export const remove = (store, key) => run(store, "readwrite", (place) => place.delete(key));
export const pieces = (sound) => run("pieces", "readonly", (place) => place.getAll(IDBKeyRange.bound([sound, 0], [sound, Infinity])));
export const removePieces = (sound) => run("pieces", "readwrite", (place) => place.delete(IDBKeyRange.bound([sound, 0], [sound, Infinity])));

// Without this a browser that runs out of room may throw everything away.
export const ask = () => navigator.storage?.persist?.().catch(() => false);
