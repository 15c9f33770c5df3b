// The page that stands in when the till is started without a connection; it leaves by itself.
async function look() {
  try {
    await fetch(document.body.dataset.ping, { cache: "no-store" });
    location.reload();
  } catch {
    setTimeout(look, 3000);
  }
}

window.addEventListener("online", look);
setTimeout(look, 3000);
