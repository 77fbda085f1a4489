"""The page that shows a live stream: plain HTML, nothing loaded from elsewhere, light or dark as the reader has it."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fkbench demo</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #222; --faint: #667; --line: #ccd; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e8e8ea; --faint: #9aa; --line: #333840; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.1rem; margin: 0 0 .75rem; font-weight: 600; }
img { display: block; max-width: 100%; max-height: 78vh; border: 1px solid var(--line); border-radius: 6px; }
dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin: .75rem 0 0; }
dl div { min-width: 6.5rem; }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-size: 1.2rem; }
</style>
</head>
<body>
<main>
<h1 id="title">fkbench demo</h1>
<img id="stream" src="stream.mjpg" alt="Live picture with the keypoints that were found">
<dl>
<div><dt>frames/s</dt><dd id="fps">&ndash;</dd></div>
<div><dt>latency</dt><dd id="latency">&ndash;</dd></div>
<div><dt>faces</dt><dd id="faces">&ndash;</dd></div>
<div><dt>frames</dt><dd id="frames">&ndash;</dd></div>
</dl>
<p id="state" role="status"></p>
</main>
<script>
const put = (id, text) => { document.getElementById(id).textContent = text; };
let missed = 0;
async function ask() {
  try {
    const state = await (await fetch("state.json", { cache: "no-store" })).json();
    missed = 0;
    put("title", state.title);
    put("fps", state.fps.toFixed(1));
    put("latency", state.latency_ms.toFixed(0) + " ms");
    put("faces", state.faces);
    put("frames", state.frames);
    put("state", "");
  } catch {
    missed += 1;
    if (missed > 2) { put("state", "The stream has ended."); return; }
  }
  setTimeout(ask, 500);
}
ask();
</script>
</body>
</html>
"""
