import { asm, defineCases } from "../../mod.ts";

const rows = {
  new: { msr: 0x4b564d00, junk: 0 },
  old: { msr: 0x11, junk: 0 },
  // Whatever is there before, the version is even behind it.
  "odd-version": { msr: 0x4b564d00, junk: 0x12345 },
  "even-version": { msr: 0x4b564d00, junk: 0x12346 },
};

/** Seconds and nanoseconds of the host's real time when the guest's clock was 0, under a version. */
export default defineCases("paravirt/wall-clock", rows, ({ msr, junk }) => ({
  spec: "KVM x86 MSRs: MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_WALL_CLOCK",
  mode: "long",
  requires: [{ cpuid: msr === 0x11 ? "KVM-CLOCKSOURCE" : "KVM-CLOCKSOURCE2" }],
  registers: { rcx: BigInt(msr), rax: 0xa004n },
  guest: asm`
    wrmsr
    xor eax, eax
    rdmsr
    hlt
  `,
  drive: ({ run, read, write, assertEquals }) => {
    write(0xa004, new Uint8Array(new Uint32Array([junk]).buffer));
    run();
    const clock = new DataView(read(0xa004, 12).buffer);
    assertEquals("parity of the version", clock.getUint32(0, true) & 1, 0);
    assertEquals("whether there was a version", clock.getUint32(0, true) > junk, true);
    const seconds = clock.getUint32(4, true);
    // Which moment a VM's clock counts from is the host's; an hour is the difference that no host has.
    assertEquals(
      "whether it is the host's time",
      Math.abs(seconds - Date.now() / 1000) < 3600,
      true,
    );
    assertEquals("whether nanoseconds are below a second", clock.getUint32(8, true) < 1e9, true);
  },
  trace: `
    hlt
    = rax 0xa004
    = rdx 0x0
    = rflags *
    = mem 0xa004 u32 [* * *]
  `,
}));
