// The till's service worker: a styled page when there is no connection, and nothing else. It never touches a POST or
// a fragment, and never keeps a page that holds anybody's data. `self.shell` is set by the address it is served at.
const { version, offline, files } = self.shell;
const NAVIGATION_LIMIT = 6000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(version).then((cache) => cache.addAll([offline, ...files])));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== version).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || request.headers.has("HX-Request")) return;
  if (files.includes(url.pathname)) event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(request)));
  else if (request.mode === "navigate") event.respondWith(navigate(request));
});

async function navigate(request) {
  const timer = new AbortController();
  const limit = setTimeout(() => timer.abort(), NAVIGATION_LIMIT);
  try {
    return await fetch(request, { signal: timer.signal });
  } catch {
    return caches.match(offline);
  } finally {
    clearTimeout(limit);
  }
}
