// The card page looks for news every 15 seconds while somebody sees it, and at once when they come back to it.
const look = () => {
  const live = document.getElementById("live");
  if (live && document.visibilityState === "visible") htmx.trigger(live, "refresh");
};
setInterval(look, 15000);
addEventListener("focus", look);
document.addEventListener("visibilitychange", look);
