//# decoder
"use strict";
function Decoder(bytes, port) { undeclared = bytes[0]; return { v: undeclared, t: typeof this }; }
//# up 1 0b => {"t":"object","v":11}
