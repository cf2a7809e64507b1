//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

func (s *seeder) debian(ctx context.Context) (StandIn, error) {
	text, err := recipe("debian.Dockerfile")
	if err != nil {
		return StandIn{}, err
	}
	tar := filepath.Join(s.cache, "seed", "debian-"+s.baseKey, "rootfs.tar")
	if _, err := os.Stat(tar); err != nil {
		if err := s.bootstrap(ctx, tar); err != nil {
			return StandIn{}, fmt.Errorf("bootstrapping Debian: %w", err)
		}
	}
	return StandIn{
		Refs:       []string{"debian:bookworm-slim", "debian:bookworm", "debian:12-slim", "debian:12", "debian:latest"},
		Dockerfile: text,
		Context:    filepath.Dir(tar),
	}, nil
}

// bootstrap makes Debian's root file system as a tar. debootstrap mounts and
// unmounts below it; in a mount namespace that can't go wrong for the host.
func (s *seeder) bootstrap(ctx context.Context, tar string) error {
	s.log("bootstrapping Debian %s from %s", suite, s.archive.main)
	root := filepath.Join(s.work, "root")
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "--fork", "--"}, args...)...)
		cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
		for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
			if value, ok := os.LookupEnv(name); ok {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
		}
		_, err := output(cmd)
		return err
	}
	if err := run("debootstrap", "--variant=minbase", "--include=ca-certificates", suite, root, s.archive.main); err != nil {
		return err
	}
	if err := s.configureDebian(root); err != nil {
		return err
	}
	if err := run("chroot", root, "update-ca-certificates"); err != nil {
		return err
	}
	if err := run("chroot", root, "sh", "-c", tidyDebian); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(tar), 0o755); err != nil {
		return err
	}
	err := run("tar", "--create", "--file", tar+".partial", "--directory", root, "--numeric-owner",
		"--xattrs", "--sort=name", "--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*", ".")
	if err != nil {
		return err
	}
	return os.Rename(tar+".partial", tar)
}

// tidyDebian removes what an image does not have: package lists, logs, what
// was this machine's, and documentation, which the slim images leave out.
const tidyDebian = `
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/cache/ldconfig/aux-cache
rm -rf /var/log/*.log /var/log/apt/* /debootstrap /etc/apt/sources.list /etc/hostname /etc/resolv.conf
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type l -delete
find /usr/share/doc -depth -type d -empty -delete
rm -rf /usr/share/man/* /usr/share/info/* /usr/share/groff/* /usr/share/lintian/* /usr/share/linda/* /usr/share/locale/*
`

// configureDebian puts the real image's settings, the mirror and the extra
// certificates into the root file system.
func (s *seeder) configureDebian(root string) error {
	cp := exec.Command("cp", "-R", "--no-preserve=ownership", filepath.Join(s.work, "standins", "debian-rootfs")+"/.", root)
	if _, err := output(cp); err != nil {
		return err
	}
	sources := filepath.Join(root, "etc/apt/sources.list.d/debian.sources")
	if err := os.WriteFile(sources, []byte(s.archive.sources()), 0o644); err != nil {
		return err
	}
	dir := filepath.Join(root, extraCAs)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, path := range s.cas {
		pem, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), pem, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) buildpackDeps(context.Context) (StandIn, error) {
	text, err := recipe("buildpack-deps.Dockerfile")
	return StandIn{Refs: []string{"buildpack-deps:bookworm", "buildpack-deps:bookworm-scm"}, Dockerfile: text}, err
}

func (s *seeder) golang(context.Context) (StandIn, error) {
	text, err := recipe("golang.Dockerfile")
	return StandIn{
		Refs:          []string{"golang:1.26-bookworm", "golang:1.26", "golang:1", "golang:latest"},
		Dockerfile:    text,
		NamedContexts: map[string]string{"goroot": s.goRoot},
		BuildArgs:     map[string]string{"VERSION": s.goVer},
	}, err
}

// hostNode is a Node.js that can be moved: one binary with everything in it,
// and npm as a folder beside it, as upstream and NodeSource ship them.
type hostNode struct {
	version string // "20.20.2"; empty if there is none
	binary  string
	modules string // the lib/node_modules folder
}

// movableBinary is the least size, in bytes, of a node that has its libraries
// linked in; Debian's own has them in dozens of packages.
const movableBinary = 30 << 20

func findHostNode(ctx context.Context) hostNode {
	node, err := exec.LookPath("node")
	if err != nil {
		return hostNode{}
	}
	if node, err = filepath.EvalSymlinks(node); err != nil {
		return hostNode{}
	}
	modules := filepath.Join(filepath.Dir(filepath.Dir(node)), "lib", "node_modules")
	info, err := os.Stat(node)
	if err != nil || info.Size() < movableBinary || !isDir(filepath.Join(modules, "npm")) {
		return hostNode{}
	}
	version, err := output(exec.CommandContext(ctx, node, "--version"))
	if err != nil {
		return hostNode{}
	}
	return hostNode{version: strings.TrimPrefix(version, "v"), binary: node, modules: modules}
}

// nodeImage makes the maker of one node image.
func (s *seeder) nodeImage(ref, base string) func(context.Context) (StandIn, error) {
	return func(ctx context.Context) (StandIn, error) {
		name := "node.Dockerfile"
		if s.node.version == "" {
			name = "node-from-debian.Dockerfile"
		}
		text, err := recipe(name)
		if err != nil {
			return StandIn{}, err
		}
		if len(s.cas) > 0 {
			// Node.js brings its own list of authorities and ignores the system's.
			text = append(text, "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt\n"...)
		}
		image := StandIn{
			Refs:       []string{ref},
			Dockerfile: text,
			Context:    filepath.Join(s.work, "standins"),
			BuildArgs:  map[string]string{"BASE": base, "VERSION": s.node.version},
		}
		if s.node.version != "" {
			dir, err := s.nodeTree(ctx)
			if err != nil {
				return StandIn{}, err
			}
			image.NamedContexts = map[string]string{"node": dir}
		}
		return image, os.Chmod(filepath.Join(image.Context, "node-root/usr/local/bin/docker-entrypoint.sh"), 0o755)
	}
}

// nodeTree lays this machine's Node.js out as it is below /usr/local in the
// real image.
func (s *seeder) nodeTree(ctx context.Context) (string, error) {
	const script = `set -e
mkdir -p "$1/bin" "$1/lib/node_modules" "$1/include"
cp "$2" "$1/bin/node"
for m in npm corepack; do
	if [ -d "$3/$m" ]; then cp -R "$3/$m" "$1/lib/node_modules/"; fi
done
if [ -d "$3/../../include/node" ]; then cp -R "$3/../../include/node" "$1/include/"; fi
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/bin/npx"
ln -s node "$1/bin/nodejs"
if [ -d "$1/lib/node_modules/corepack" ]; then ln -s ../lib/node_modules/corepack/dist/corepack.js "$1/bin/corepack"; fi
`
	dir := filepath.Join(s.work, "node")
	if isDir(dir) {
		return dir, nil
	}
	_, err := output(exec.CommandContext(ctx, "sh", "-c", script, "sh", dir, s.node.binary, s.node.modules))
	return dir, err
}

// busybox unpacks Debian's static busybox for three architectures. Those that
// the mirror doesn't have are left out, but for this machine's own.
func (s *seeder) busybox(ctx context.Context) (StandIn, error) {
	text, err := recipe("busybox.Dockerfile")
	if err != nil {
		return StandIn{}, err
	}
	image := StandIn{
		Refs:       []string{"busybox:latest", "busybox:stable", "busybox:stable-musl", "busybox:1"},
		Dockerfile: text,
		Context:    filepath.Join(s.work, "standins"),
	}
	for _, arch := range []string{"amd64", "arm64", "386"} {
		dir := filepath.Join(image.Context, arch)
		err := s.busyboxTree(ctx, dir, strings.Replace(arch, "386", "i386", 1))
		if err != nil && arch == runtime.GOARCH {
			return StandIn{}, err
		}
		if err != nil {
			s.log("busybox goes without %s: %v", arch, err)
			continue
		}
		image.Platforms = append(image.Platforms, "linux/"+arch)
	}
	return image, s.linkApplets(ctx, image)
}

// busyboxTree makes the folders and the program of one architecture.
func (s *seeder) busyboxTree(ctx context.Context, dir, arch string) error {
	deb := dir + ".deb"
	if err := s.archive.fetchPackage(ctx, "busybox-static", arch, deb); err != nil {
		return err
	}
	const script = `set -e
mkdir -p "$1/bin" "$1/root" "$1/home" "$1/var" "$1/usr/bin" "$1/tmp"
chmod 1777 "$1/tmp"
dpkg-deb --fsys-tarfile "$2" | tar --extract --to-stdout --wildcards '*/busybox' >"$1/bin/busybox"
chmod 755 "$1/bin/busybox"
ln -s ../../bin/env "$1/usr/bin/env"
`
	_, err := output(exec.CommandContext(ctx, "sh", "-c", script, "sh", dir, deb))
	return err
}

// linkApplets gives busybox its names. This machine can ask only the program
// of its own architecture for them; the others know the same ones.
func (s *seeder) linkApplets(ctx context.Context, image StandIn) error {
	own := filepath.Join(image.Context, runtime.GOARCH, "bin", "busybox")
	list, err := output(exec.CommandContext(ctx, own, "--list"))
	if err != nil {
		return err
	}
	for _, applet := range strings.Fields(list) {
		for _, platform := range image.Platforms {
			link := filepath.Join(image.Context, filepath.Base(platform), "bin", applet)
			if err := os.Symlink("busybox", link); err != nil && !os.IsExist(err) {
				return err
			}
		}
	}
	return nil
}
