//# decoder
function Decoder(bytes, port) { return { v: bytes[0] }; }
//# validator
function Validator(converted, port) {
  if (converted.v === 0) return 0;
  if (converted.v === 1) return 1;
  if (converted.v === 2) return;
  if (converted.v === 3) return 'false';
  if (converted.v === 4) return new Boolean(false);
  if (converted.v === 5) return {};
  return !!converted.v;
}
//# up 1 00 => error
//# up 1 01 => error
//# up 1 02 => error
//# up 1 03 => error
//# up 1 04 => error
//# up 1 05 => error
//# up 1 06 => {"v":6}
