import { asm, defineCase } from "../../mod.ts";

/** KVM_SET_MSRS gives FS and GS their bases, which KVM_GET_SREGS tells and the guest finds. */
export default defineCase({
  id: "state/segment-base-msr",
  spec: ["KVM API 4.19: KVM_SET_MSRS", "SDM 3A 3.4.4: IA32_FS_BASE, IA32_GS_BASE"],
  mode: "long",
  registers: { rbx: 8n },
  guest: asm`
    mov dword [fs:rbx], 0x11223344
    mov dword [gs:rbx], 0x55667788
    hlt
  `,
  drive: ({ vcpu, assertEquals }) => {
    const values = [{ index: 0xc0000100, data: 0xa100n }, { index: 0xc0000101, data: 0xb200n }];
    vcpu.setMsrs(values);
    const { fs, gs } = vcpu.sregs();
    assertEquals("bases", [fs.base, gs.base], [0xa100n, 0xb200n]);
    assertEquals("MSRs", vcpu.msrs([0xc0000100, 0xc0000101]), values);
  },
  trace: `
    > set-msrs msr.0xc0000100=0xa100 msr.0xc0000101=0xb200 -> 0x2
    hlt
    = fs.base 0xa100
    = gs.base 0xb200
    = mem 0xa108 u32 0x11223344
    = mem 0xb208 u32 0x55667788
  `,
});
