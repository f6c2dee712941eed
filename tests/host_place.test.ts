/** Where a host's run stands: by its own kind, or as the lab that it is. */
import { assertEquals } from "@std/assert";
import { hostPlace } from "../src/cli/host_place.ts";
import { runName } from "../src/report/report.ts";
import type { Backend, Emulation, HostFacts } from "../src/suite/requirement.ts";

const series = /^\d+\.\d+/.exec(Deno.osRelease())?.[0];

const places: [
  what: string,
  backend: Backend,
  emulation: Emulation | undefined,
  off: string[],
  name: string,
][] = [
  ["a machine of AMD's", "svm", undefined, [], `host-svm-${series}`],
  ["a machine of Intel's without EPT", "vmx", undefined, ["kvm_intel.ept"], `host-vmx-${series}`],
  ["software virtualization", "pvm", undefined, [], `host-pvm-${series}`],
  ["software virtualization in QEMU", "pvm", "qemu-tcg", [], `host-pvm-${series}`],
  ["AMD's extension in Bochs", "svm", "bochs", [], `host-svm-${series}`],
  ["AMD's extension in QEMU", "svm", "qemu-tcg", [], `svm-${series}`],
  ["AMD's in QEMU, no nested paging", "svm", "qemu-tcg", ["kvm_amd.npt"], `svm-${series}-npt=0`],
  ["Intel's extension in Bochs", "vmx", "bochs", [], `vmx-${series}`],
  [
    "Intel's in Bochs, no EPT",
    "vmx",
    "bochs",
    ["kvm_intel.ept", "kvm_intel.unrestricted_guest"],
    `vmx-${series}-ept=0`,
  ],
  [
    "Intel's in Bochs, no unrestricted guest",
    "vmx",
    "bochs",
    ["kvm_intel.unrestricted_guest"],
    `vmx-${series}-unrestricted_guest=0`,
  ],
];

for (const [what, backend, emulation, off, name] of places) {
  Deno.test(`${what} is ${name.replace(`${series}`, "N")}`, () => {
    const facts = {
      backend,
      emulation,
      hasParameter: (parameter: string, value: string) =>
        (off.includes(parameter) ? "0" : "1") === value,
    };
    assertEquals(runName(hostPlace(facts as unknown as HostFacts)), name);
  });
}
