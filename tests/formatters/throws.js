//# decoder
function Decoder(bytes, port) {
  if (bytes.length < 2) throw new Error('too short: ' + bytes.length);
  if (bytes[0] !== 0x55) throw 'bad magic';
  if (bytes[1] === 1) throw { code: 1 };
  if (bytes[1] === 2) throw null;
  if (bytes[1] === 3) throw undefined;
  return { ok: true };
}
//# up 1 55 => error
//# up 1 0000 => error
//# up 1 5501 => error
//# up 1 5502 => error
//# up 1 5503 => error
//# up 1 5504 => {"ok":true}
