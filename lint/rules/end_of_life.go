package rules

import "strings"

// release is a line of versions of a distribution or a language.
type release struct {
	product string // as people call it
	version string // as tags begin: "3.12"
	name    string // as tags call it besides: "bookworm"; "" if they don't
	end     string // day of the last security update for everybody, as 2006-01-02
}

// releases are the lines of the images that most builds start from. The dates of
// Debian include its LTS, those of Ubuntu don't include what Pro subscribers get,
// and a line of Go ends with the second one behind it.
//
// Sources: wiki.debian.org/DebianReleases and /LTS, wiki.ubuntu.com/Releases,
// alpinelinux.org/releases, github.com/nodejs/Release, devguide.python.org/versions,
// ruby-lang.org/en/downloads/branches, php.net/supported-versions.php,
// go.dev/doc/devel/release, dotnet.microsoft.com/platform/support/policy,
// wiki.centos.org/About/Product. Read in May 2026.
const releases = `
Debian 6 squeeze 2016-02-29
Debian 7 wheezy 2018-05-31
Debian 8 jessie 2020-06-30
Debian 9 stretch 2022-07-01
Debian 10 buster 2024-06-30
Debian 11 bullseye 2026-08-31
Debian 12 bookworm 2028-06-30
Ubuntu 12.04 precise 2017-04-28
Ubuntu 14.04 trusty 2019-04-25
Ubuntu 16.04 xenial 2021-04-30
Ubuntu 18.04 bionic 2023-05-31
Ubuntu 20.04 focal 2025-05-31
Ubuntu 20.10 groovy 2021-07-22
Ubuntu 21.04 hirsute 2022-01-20
Ubuntu 21.10 impish 2022-07-14
Ubuntu 22.04 jammy 2027-04-30
Ubuntu 22.10 kinetic 2023-07-20
Ubuntu 23.04 lunar 2024-01-25
Ubuntu 23.10 mantic 2024-07-12
Ubuntu 24.04 noble 2029-05-31
Ubuntu 24.10 oracular 2025-07-10
Ubuntu 25.04 plucky 2026-01-17
Ubuntu 25.10 questing 2026-07-31
Alpine 2.6 - 2015-05-01
Alpine 2.7 - 2015-11-01
Alpine 3.1 - 2016-11-01
Alpine 3.2 - 2017-05-01
Alpine 3.3 - 2017-11-01
Alpine 3.4 - 2018-05-01
Alpine 3.5 - 2018-11-01
Alpine 3.6 - 2019-05-01
Alpine 3.7 - 2019-11-01
Alpine 3.8 - 2020-05-01
Alpine 3.9 - 2020-11-01
Alpine 3.10 - 2021-05-01
Alpine 3.11 - 2021-11-01
Alpine 3.12 - 2022-05-01
Alpine 3.13 - 2022-11-01
Alpine 3.14 - 2023-05-01
Alpine 3.15 - 2023-11-01
Alpine 3.16 - 2024-05-23
Alpine 3.17 - 2024-11-22
Alpine 3.18 - 2025-05-09
Alpine 3.19 - 2025-11-01
Alpine 3.20 - 2026-04-01
Alpine 3.21 - 2026-11-01
Alpine 3.22 - 2027-05-01
CentOS 6 - 2020-11-30
CentOS 7 - 2024-06-30
CentOS 8 - 2021-12-31
Node.js 4 argon 2018-04-30
Node.js 5 - 2016-06-30
Node.js 6 boron 2019-04-30
Node.js 7 - 2017-06-30
Node.js 8 carbon 2019-12-31
Node.js 9 - 2018-06-30
Node.js 10 dubnium 2021-04-30
Node.js 11 - 2019-06-30
Node.js 12 erbium 2022-04-30
Node.js 13 - 2020-06-01
Node.js 14 fermium 2023-04-30
Node.js 15 - 2021-06-01
Node.js 16 gallium 2023-09-11
Node.js 17 - 2022-06-01
Node.js 18 hydrogen 2025-04-30
Node.js 19 - 2023-06-01
Node.js 20 iron 2026-04-30
Node.js 21 - 2024-06-01
Node.js 22 jod 2027-04-30
Node.js 23 - 2025-06-01
Python 2 - 2020-01-01
Python 3.3 - 2017-09-29
Python 3.4 - 2019-03-18
Python 3.5 - 2020-09-30
Python 3.6 - 2021-12-23
Python 3.7 - 2023-06-27
Python 3.8 - 2024-10-07
Python 3.9 - 2025-10-31
Python 3.10 - 2026-10-31
Python 3.11 - 2027-10-31
Ruby 2.1 - 2017-03-31
Ruby 2.2 - 2018-03-31
Ruby 2.3 - 2019-03-31
Ruby 2.4 - 2020-03-31
Ruby 2.5 - 2021-03-31
Ruby 2.6 - 2022-04-12
Ruby 2.7 - 2023-03-31
Ruby 3.0 - 2024-04-23
Ruby 3.1 - 2025-03-31
Ruby 3.2 - 2026-03-31
Ruby 3.3 - 2027-03-31
PHP 5 - 2018-12-31
PHP 7.0 - 2019-01-10
PHP 7.1 - 2019-12-01
PHP 7.2 - 2020-11-30
PHP 7.3 - 2021-12-06
PHP 7.4 - 2022-11-28
PHP 8.0 - 2023-11-26
PHP 8.1 - 2025-12-31
PHP 8.2 - 2026-12-31
PHP 8.3 - 2027-12-31
Go 1.10 - 2019-02-25
Go 1.11 - 2019-09-03
Go 1.12 - 2020-02-25
Go 1.13 - 2020-08-11
Go 1.14 - 2021-02-16
Go 1.15 - 2021-08-16
Go 1.16 - 2022-03-15
Go 1.17 - 2022-08-02
Go 1.18 - 2023-02-01
Go 1.19 - 2023-08-08
Go 1.20 - 2024-02-06
Go 1.21 - 2024-08-13
Go 1.22 - 2025-02-11
Go 1.23 - 2025-08-12
.NET 1.0 - 2019-06-27
.NET 1.1 - 2019-06-27
.NET 2.0 - 2018-10-01
.NET 2.1 - 2021-08-21
.NET 2.2 - 2019-12-23
.NET 3.0 - 2020-03-03
.NET 3.1 - 2022-12-13
.NET 5.0 - 2022-05-10
.NET 6.0 - 2024-11-12
.NET 7.0 - 2024-05-14
.NET 8.0 - 2026-11-10
.NET 9.0 - 2026-11-10
.NET 10.0 - 2028-11-14`

// images are the repositories whose tags begin with a product's version.
var images = map[string]string{
	"debian": "Debian", "buildpack-deps": "", "ubuntu": "Ubuntu", "alpine": "Alpine", "centos": "CentOS",
	"node": "Node.js", "python": "Python", "ruby": "Ruby", "php": "PHP", "golang": "Go",
	"mcr.microsoft.com/dotnet/sdk": ".NET", "mcr.microsoft.com/dotnet/aspnet": ".NET", "mcr.microsoft.com/dotnet/runtime": ".NET", "mcr.microsoft.com/dotnet/runtime-deps": ".NET",
	"mcr.microsoft.com/dotnet/core/sdk": ".NET", "mcr.microsoft.com/dotnet/core/aspnet": ".NET", "mcr.microsoft.com/dotnet/core/runtime": ".NET", "mcr.microsoft.com/dotnet/core/runtime-deps": ".NET",
}

// releasesOf are the lines that an image is made of, by its repository without
// an architecture in front, and its tag.
func releasesOf(repository, tag string) []release {
	product, known := images[repository]
	if !known {
		return nil
	}
	var found []release
	for line := range strings.Lines(releases) {
		f := strings.Fields(line)
		if len(f) != 4 {
			continue
		}
		r := release{product: f[0], version: f[1], name: f[2], end: f[3]}
		if r.in(tag, product) {
			found = append(found, r)
		}
	}
	return found
}

// in reports that a tag says the release, in front as the image's own version or
// behind as what the image is made of: "18-bullseye-slim", "3.9-alpine3.16".
func (r release) in(tag, product string) bool {
	for i, part := range strings.Split(tag, "-") {
		of, version := r.product == product && i == 0, part
		if r.product == "Alpine" && strings.HasPrefix(part, "alpine") {
			of, version = true, strings.TrimPrefix(part, "alpine")
		}
		if of && (version == r.version || strings.HasPrefix(version, r.version+".")) {
			return true
		}
		distribution := r.product == "Debian" || r.product == "Ubuntu"
		if r.name != "-" && part == r.name && (distribution || r.product == product) {
			return true
		}
	}
	return false
}
