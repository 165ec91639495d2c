# SPDX-License-Identifier: GPL-2.0
#
# A thin front: every target is one line of work done by a program in tools/.
# Build products go to build/<kernel>/; the source folders stay clean.

KERNEL ?= 6.1
# KDIR=/path builds for any kernel instead, into build/<its release>/.
target-kernel := $(or $(KDIR),$(KERNEL))
kernels := 6.1 6.12 7.2 rt debug

V ?= 0
kbuild-args := V=$(V) $(if $(C),C=$(C)) $(if $(W),W=$(W))
setup := tools/setup
build-module := $(setup)/build-module

.PHONY: all modules tools client run check check-long bench user kunit selftests fuzz lint docs
.PHONY: setup clean distclean help

all: modules tools

modules:
	@$(setup)/packages build
	+@$(build-module) '$(target-kernel)' . build/@NAME@ $(kbuild-args)

tools:
	@$(setup)/packages tools
	+@$(MAKE) --no-print-directory -C tools/quarryctl O=$(CURDIR)/build/quarryctl

client:
	@tools/client/build '$(KERNEL)' $(DIR)

run:
	@tools/vm/tour/run

check:
	@$(setup)/packages check
	@tools/testing/check

check-long:
	@$(setup)/packages check
	@tools/testing/check --stages tools/testing/stages-long --logs build/check-long

bench:
	@tools/bench/run

user:
	@$(setup)/packages user
	+@$(MAKE) --no-print-directory -C tools/testing/user check O=$(CURDIR)/build/user

fuzz:
	@$(setup)/packages user
	+@$(MAKE) --no-print-directory -C tools/testing/user fuzz O=$(CURDIR)/build/user

kunit:
	@tools/testing/stage kunit

selftests:
	@tools/testing/stage selftests $(KERNEL)

lint:
	@tools/testing/stage lint

docs:
	@tools/testing/stage docs

setup:
	@$(setup)/packages build kernel tools vm run user lint docs
	@for k in $(kernels); do $(setup)/kernel $$k >/dev/null || exit; done

clean:
	rm -rf build

# The cache holds kernels that took minutes to make: clean leaves it alone.
distclean: clean
	@$(setup)/forget

help:
	@sed -n 's/^#? \{0,1\}//p' Makefile

#?  make                  quarry.ko for 6.1 and quarryctl, into build/
#?  make run              a tour: quarry at work in a virtual machine
#?  make check            every test; the last line says how many passed
#?  make check-long       campaigns of some hours: more seeds, steps and time
#?  make bench            instruction counts beside the kernel's allocators
#?
#?  make modules          quarry.ko alone:  KERNEL=6.1 (default), 6.12, 7.2, rt, debug
#?  make KDIR=/path       for the kernel whose build folder that is
#?  make tools            quarryctl
#?  make client DIR=fs/xfs    a module of the kernel's source, onto quarry
#?
#?  make user             the core in user space: model, sanitizers, short fuzz
#?  make fuzz             the fuzzer for longer:  FUZZ_SECONDS=600
#?  make kunit            KUnit on the debug kernel
#?  make selftests        kselftest in the VM:  KERNEL=6.1 (default), 6.12, 7.2, rt, debug
#?  make lint             checkpatch, sparse, W=1 with gcc and clang, shellcheck
#?  make docs             kernel-doc without warnings
#?
#?  make setup            fetch and build all that the above need (they do so
#?                        themselves); kernels stay in $QUARRY_CACHE
#?  make clean            remove build/;  make distclean: and the cache
#?
#?  V=1 shows the commands, C=1 runs sparse, W=1 asks for more warnings.
#?  tools/vm/quarry-vm --help: the virtual machine, for anything else.
