"use strict";

const greeting = "hello";

document.addEventListener("DOMContentLoaded", () => {
  const name = new URLSearchParams(window.location.search).get("name");
  document.body.textContent = [greeting, name || "you"].join(", ");
});
