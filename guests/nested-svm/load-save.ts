import { asm, defineCase } from "../../mod.ts";
import { machine, requires } from "./_vmcb.ts";

/** VMSAVE stores what VMRUN leaves out, and VMLOAD takes it from another VMCB. */
export default defineCase({
  id: "nested-svm/load-save",
  spec: ["APM 2 15.5.2: VMSAVE and VMLOAD instructions", "APM 3: VMLOAD, VMSAVE"],
  mode: "long",
  requires,
  machine,
  registers: { rax: 0xb000n, rbx: 0xd000n },
  guest: asm`
    vmsave
    xchg rax, rbx
    vmload
    xchg rax, rbx
    hlt
  `,
  drive: ({ vcpu, write }) => {
    vcpu.setMsrs([
      { index: 0xc0000081, data: 0x1111222233334444n },
      { index: 0xc0000082, data: 0x2222n },
      { index: 0xc0000083, data: 0x4444n },
      { index: 0xc0000084, data: 0x5555n },
      { index: 0xc0000102, data: 0x3333n },
      { index: 0x174, data: 0x28n },
      { index: 0x175, data: 0x6666n },
      { index: 0x176, data: 0x7777n },
    ]);
    const view = new DataView(new ArrayBuffer(0x1000));
    const segment = (
      offset: number,
      selector: number,
      attributes: number,
      base: bigint,
      limit = 0xffffffff,
    ) => {
      view.setUint16(offset, selector, true);
      view.setUint16(offset + 2, attributes, true);
      view.setUint32(offset + 4, limit, true);
      view.setBigUint64(offset + 8, base, true);
    };
    segment(0x440, 0x23, 0xcf3, 0x12340000n);
    segment(0x450, 0x23, 0xcf3, 0x56780000n);
    segment(0x470, 0x70, 0x82, 0x9abc0000n, 0x1ff);
    segment(0x490, 0x78, 0x8b, 0xdef00000n, 0x2ff);
    view.setBigUint64(0x600, 0x5555666677778888n, true);
    view.setBigUint64(0x608, 0xaaaan, true);
    view.setBigUint64(0x610, 0xccccn, true);
    view.setBigUint64(0x618, 0xddddn, true);
    view.setBigUint64(0x620, 0xbbbbn, true);
    view.setBigUint64(0x628, 0x8n, true);
    view.setBigUint64(0x630, 0xeeeen, true);
    view.setBigUint64(0x638, 0xffffn, true);
    write(0xd000, new Uint8Array(view.buffer));
  },
  trace: `
    > set-msrs msr.0xc0000081=0x1111222233334444 msr.0xc0000082=0x2222 msr.0xc0000083=0x4444 msr.0xc0000084=0x5555 msr.0xc0000102=0x3333 msr.0x174=0x28 msr.0x175=0x6666 msr.0x176=0x7777 -> 0x8
    hlt
    = fs.selector 0x23
    = fs.base 0x12340000
    = fs.access 0xc0f3
    = gs.selector 0x23
    = gs.base 0x56780000
    = gs.access 0xc0f3
    = tr.selector 0x78
    = tr.base 0xdef00000
    = tr.limit 0x2ff
    = ldt.selector 0x70
    = ldt.base 0x9abc0000
    = ldt.limit 0x1ff
    = ldt.access 0x82
    = msr.0xc0000081 0x5555666677778888
    = msr.0xc0000082 0xaaaa
    = msr.0xc0000083 0xcccc
    = msr.0xc0000084 0xdddd
    = msr.0xc0000102 0xbbbb
    = msr.0x174 0x8
    = msr.0x175 0xeeee
    = msr.0x176 0xffff
    = mem 0xb440 u64 [0xffffffff0c930030 0x0 0xffffffff0c930030 0x0]
    = mem 0xb470 u64 [* *]
    = mem 0xb490 u64 [0x67008b0068 0x3000]
    = mem 0xb600 u64 [0x1111222233334444 0x2222 0x4444 0x5555 0x3333 0x28 0x6666 0x7777]
  `,
});
