// What the pages do beyond plain HTML: polling that rests in a hidden tab, listening, upload with progress, the player.
// Every page reads, approves and sends forms without this file.
import "htmx.org/dist/htmx.esm.js";
import "./polling.js";
import "./listening.js";
import "./player.js";
import "./drafts.js";
import "./forms.js";
import "./fetching.js";
import "./hints.js";
