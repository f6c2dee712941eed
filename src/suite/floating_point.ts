/** The x87 and SSE registers of a vCPU as a case's frame has them. */

// Offsets in the XSAVE area (SDM 1 10.5.1, 13.4).
const CONTROL = 0;
const STATUS = 2;
const TAGS = 4;
const MXCSR = 24;
const STACK = 32;
const XMM = 160;
const XSTATE_BV = 512;

const X87_AND_SSE = 3;
const INITIAL_CONTROL = 0x37f;
const INITIAL_MXCSR = 0x1f80;

const areas = new Map<number, Uint8Array<ArrayBuffer>>();

/**
 * The XSAVE area that a guest starts with: control and status as after a reset, ST0 to ST7 and XMM0
 * to XMM15 with a value of their own each, so that one that is lost or mixed up shows.
 *
 * @param size bytes
 */
export function initialXsave(size: number): Uint8Array<ArrayBuffer> {
  let area = areas.get(size);
  if (area === undefined) areas.set(size, area = makeXsave(size));
  return area;
}

function makeXsave(size: number): Uint8Array<ArrayBuffer> {
  const area = new Uint8Array(size);
  const view = new DataView(area.buffer);
  view.setUint16(CONTROL, INITIAL_CONTROL, true);
  view.setUint32(MXCSR, INITIAL_MXCSR, true);
  for (let number = 0; number < 8; number++) {
    area.fill(0x50 + number, STACK + 16 * number, STACK + 16 * number + 10);
  }
  for (let number = 0; number < 16; number++) {
    area.fill(0xb0 + number, XMM + 16 * number, XMM + 16 * number + 16);
  }
  area[XSTATE_BV] = X87_AND_SSE;
  return area;
}

/**
 * Names the registers of an XSAVE area: `fcw`, `fsw`, `ftw` (its short form), `mxcsr`, `st0.low` and
 * `st0.high`, `xmm0.low` and `xmm0.high` and on. What the last x87 instruction was is left out:
 * CPUs keep it differently.
 */
export function nameFloatingPoint(values: Map<string, bigint>, area: Uint8Array): void {
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  values.set("fcw", BigInt(view.getUint16(CONTROL, true)));
  values.set("fsw", BigInt(view.getUint16(STATUS, true)));
  values.set("ftw", BigInt(view.getUint8(TAGS)));
  values.set("mxcsr", BigInt(view.getUint32(MXCSR, true)));
  for (let number = 0; number < 8; number++) {
    values.set(`st${number}.low`, view.getBigUint64(STACK + 16 * number, true));
    values.set(`st${number}.high`, BigInt(view.getUint16(STACK + 16 * number + 8, true)));
  }
  for (let number = 0; number < 16; number++) {
    values.set(`xmm${number}.low`, view.getBigUint64(XMM + 16 * number, true));
    values.set(`xmm${number}.high`, view.getBigUint64(XMM + 16 * number + 8, true));
  }
}
