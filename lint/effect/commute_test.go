package effect_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/effect"
)

// instructions are those behind FROM of a Dockerfile.
func instructions(t *testing.T, lines string) []*dockerfile.Instruction {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM debian:12\n"+lines+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f.Stages[0].Instructions
}

const (
	apt  = "RUN apt-get update && apt-get install -y --no-install-recommends curl=${V}* git && rm -rf /var/lib/apt/lists/*"
	user = "RUN groupadd -g 1000 app && useradd -m -u 1000 -g app app"
)

func TestCommutes(t *testing.T) {
	tests := []struct {
		a, b string
		// want is "", "?" for an obstacle that isn't certain, or "!".
		want string
	}{
		{"COPY . .", apt, ""},
		{"COPY . /srv2/x", apt, ""},
		{"COPY --from=x /a /usr/src/app/a", apt, ""},
		{"COPY --chown=1000:1000 . .", apt, ""},
		{"COPY --chown=app . .", apt, "?"},
		{"COPY . /opt/app", apt, "?"},
		{"COPY . /var/www/html", apt, "?"},
		{"COPY . /", apt, "?"},
		{"COPY . $X", apt, "?"},
		{"COPY . /etc/apt", apt, "!"},
		{"COPY . /usr/share/x", apt, "!"},
		{"COPY list /var/lib/apt/lists/x", apt, "!"},
		{"ADD . .", apt, ""},
		{"ADD x.tar.gz .", apt, "?"},
		{"ADD https://example.com/x /app/x", apt, "?"},
		{"WORKDIR /app/x", apt, ""},
		{"WORKDIR x", apt, ""},
		{"WORKDIR x", "COPY . .", "!"},
		{"USER app", apt, "!"},
		{"USER root", apt, ""},
		{"ENV A=b", apt, ""},
		{"ENV V=b", apt, "!"},
		{"ENV LC_ALL=C", apt, "!"},
		{"ENV V=b", apt, "!"},
		{"ENV DEBIAN_FRONTEND=noninteractive", apt, "!"},
		{"ENV HTTP_PROXY=x", apt, "!"},
		{"ARG A", apt, ""},
		{"ARG HTTP_PROXY", apt, "!"},
		{"ARG GIT_SHA", apt, ""},
		{"ARG GIT_DIR", apt, "!"},
		{"ARG CC", "RUN docker-php-ext-install gd", "?"},
		{"ARG X", "RUN docker-php-ext-install gd", "?"},
		{"ARG X", "RUN make", "?"},
		{"ARG X", "RUN make $X", "!"},
		{"ARG X", "RUN curl -fsSL https://example.com/x | tar xz -C /opt", ""},
		{"ARG X", "RUN curl -fsSL https://example.com/x | sh", "?"},
		{"ARG X", "RUN echo $((X + 1))", "!"},
		{"ARG X", "RUN printenv X", "!"},
		{"ARG X", "RUN printenv > /x", "?"},
		{"ARG X", "RUN env > /x", "?"},
		{"ARG X", "RUN set > /x", "?"},
		{"ARG X", "RUN env Y=1 touch /x", ""},
		{"ARG X", "RUN Y=x && echo ${!Y}", "?"},
		{"ARG X", "RUN eval echo a", "?"},
		{"ARG X", "RUN f() { make; }; f", "?"},
		{"ARG X", "RUN ./x", "?"},
		{"ARG X", "RUN <<EOF\n#!/usr/bin/python3\nprint(1)\nEOF", "?"},
		{"ARG X", `RUN ["apt-get", "install", "x"]`, ""},
		{"ARG X", `RUN ["sh", "-c", "echo $X"]`, "!"},
		{"ARG X", "RUN go mod download", ""},
		{"ARG GOPROXY", "RUN go mod download", "!"},
		{"ARG X", "RUN go test ./...", "?"},
		{"ARG X", "RUN go build -toolexec=./x ./...", "?"},
		{"ENV GOFLAGS=-toolexec=./x", "RUN go build", "!"},
		{"ARG X", "RUN npm ci", "?"},
		{"ARG X", "COPY . $X", "!"},
		{"ARG X", "COPY . $Y", ""},
		{"ARG X", "RUN --mount=type=cache,target=/$X go build", "!"},
		{"ARG X", "ENV X=$X", "!"},
		{"ARG X", "ENV Y=$X", "!"},
		{"ARG X=$Y", "ENV Y=1", "!"},
		{"ARG X", "ARG X", "!"},
		{"ARG X", "USER app", ""},
		{"ARG X", "WORKDIR /x", ""},
		{"ARG X", "LABEL a=${X}", "!"},
		{"ARG X", "LABEL a=b", ""},
		{`SHELL ["/bin/bash", "-c"]`, apt, "!"},
		{"LABEL a=$V", apt, ""},
		{"EXPOSE 80", apt, ""},
		{"CMD a", apt, ""},
		{"CMD a", `SHELL ["/bin/bash", "-c"]`, "!"},
		{"VOLUME /data", apt, ""},
		{"VOLUME /var/lib/x", apt, "?"},
		{"ONBUILD RUN x", apt, ""},
		{apt, user, "!"},
		{"RUN make", apt, "?"},
		{"RUN mkdir /data", apt, "?"}, // mkdir is a program of the system
		{"RUN mkdir /data", "COPY . .", ""},
		{"RUN mkdir /data", "COPY . /data/x", "!"},
		{"RUN mkdir data", "WORKDIR /x", "!"},
		{"COPY . .", user, ""},
		{"COPY . /home/app/src", user, "!"},
		{"WORKDIR /home/app", user, "!"},
		{"COPY . .", "RUN useradd -d /app app", "!"},
		{"COPY . .", "RUN useradd -d/app app", "!"},
		{"COPY . .", "RUN useradd --home-dir=/app app", "!"},
		{"COPY . .", "RUN useradd $NAME", "?"},
		{"COPY . .", "RUN apt-get install -y ./x.deb", "!"},
		{"COPY . .", "RUN apt-get install -y /x/x.deb", ""},
		{"COPY . .", "RUN apt-get install -y $(cat packages)", "?"},
		{"COPY . .", "RUN apt-get install -y $PACKAGES", "?"},
		{"COPY . .", "RUN PACKAGES='a b' && apt-get install -y $PACKAGES", ""},
		{"COPY . .", "RUN xargs apt-get install -y < packages", "!"},
		{"COPY . .", "RUN sh setup.sh && apt-get install x", "?"},
		{"COPY . .", "RUN ./apt-get install x", "?"},
		{"COPY . .", "RUN apt-get() { cat /app/x; }; apt-get install x", "?"},
		{"COPY . .", "RUN . ./env && apt-get install x", "?"},
		{"COPY . .", "RUN cd /app && apt-get install -y x", "!"},
		{"COPY . .", "RUN cd /tmp && apt-get install -y x", ""},
		{"COPY . .", "RUN test -f x || apt-get install -y x", "!"},
		{"COPY . .", "RUN apt-get install -y x && chown -R app /app", "!"},
		{"COPY . .", "RUN apt-get install -y x && find / -name '*.pyc' -delete", "!"},
		{"COPY . .", "RUN apt-get -o Dir::Etc=/app install x", "?"},
		{"COPY . .", "RUN apt-get -o APT::Install-Recommends=0 install x", ""},
		{"COPY . .", "RUN apt-get install x | tee /app/log", "!"},
		{"COPY . .", "RUN apt-get install x > log", "!"},
		{"COPY . .", "RUN apt-get install x > /dev/null 2>&1", ""},
		{"COPY . .", "RUN PYTHONPATH=/app apt-get install x", "?"},
		{"COPY . .", "RUN export PATH=/app/bin:$PATH && apt-get install x", "?"},
		{"COPY . .", "RUN for p in a b; do apt-get install -y $p; done", "?"},
		{"COPY . .", "RUN for p in a b; do apt-get install -y x-$p; done", "?"},
		{"COPY . .", "RUN trap 'rm -rf /app' EXIT; apt-get install x", "?"},
		{"COPY . .", "RUN sudo apt-get install x", ""},
		{"COPY . .", "RUN su app -c 'apt-get install x'", "?"},
		{"COPY . .", "RUN sh -c 'apt-get install x'", ""},
		{"COPY . .", "RUN --mount=type=cache,target=/app/x apt-get install x", "!"},
		{"COPY . .", "RUN --mount=type=cache,target=x apt-get install x", "!"},
		{"COPY . .", "RUN --mount=type=cache,target=/x apt-get install x", ""},
		{"COPY . .", "RUN --mount=type=secret,id=x apt-get install x", ""},
		{"COPY . .", "RUN --mount=type=cache,target=$X apt-get install x", "?"},
		{"COPY . .", "RUN --mount=target=/x apt-get install x", "?"},
		{"COPY . .", "RUN --mount=from=x,target=/x apt-get install x", ""},
		{"COPY . .", `RUN ["apt-get", "install", "x"]`, ""},
		{"COPY . .", `RUN ["apt-get", "install", "./x"]`, "!"},
		{"COPY . .", "RUN <<EOF\napt-get update\napt-get install -y x\nEOF", ""},
		{"COPY . .", "RUN <<EOF\n#!/usr/bin/python3\napt-get install\nEOF", "?"},
		{"COPY . .", "RUN apk add --no-cache x && apk del x", ""},
		{"COPY . .", "RUN apk add --virtual .build-deps x && apk del .build-deps", ""},
		{"COPY . .", "RUN apk add x.apk", "!"},
		{"COPY . .", "RUN apt-get update && URL=https://example.com/x.tgz && curl -fsSL $URL | tar xz -C /opt/x", ""},
		{"COPY . .", "RUN apk add --root /app x", "?"},
		{"COPY . .", "RUN dnf -y install x && dnf clean all", ""},
		{"COPY . .", "RUN apt-get install x && curl -fsSL https://example.com/x -o /etc/apt/keyrings/x", ""},
		{"COPY . .", "RUN curl -O https://example.com/x", "!"},
		{"COPY . .", "RUN curl -fsSLox https://example.com/x", "!"},
		{"COPY . .", "RUN curl -fsSL https://example.com/x | bash", "?"},
		{"COPY . .", "RUN echo 'deb x' > /etc/apt/sources.list.d/x.list && apt-get update", ""},
		{"COPY . .", "RUN sed -i 's/a/b/' /etc/apt/sources.list && apt-get update", ""},
		{"COPY . .", "RUN sed -i 's/a/b/e' /etc/apt/sources.list && apt-get update", "?"},
		{"COPY . .", "RUN ln -s /app/x /usr/local/bin/x", "!"},
		{"COPY . /b/c", "RUN ln -s /b/c /a && touch /a/c", "!"},
		{"COPY . /b/c", "RUN cp -r /x /a && touch /a/c", "?"},
		{"COPY . .", "RUN rm -rf /opt/{x,../app}", "?"},
		{"COPY . .", "RUN rm -rf /opt/*/../../app", "?"},
		{"COPY . .", "RUN rm -rf $(pwd)/x", "?"},
	}
	for _, tt := range tests {
		list := instructions(t, tt.a+"\n"+tt.b)
		w := effect.World{Scene: effect.Scene{Workdir: "/app", Home: "/root", Vars: map[string]string{"PATH": "/usr/local/bin:/usr/bin:/bin"}}}
		a, b := effect.Of(list[0], w), effect.Of(list[1], w)
		got := ""
		switch o := effect.Between(a, b); {
		case o == nil:
		case o.Certain:
			got = "!"
		default:
			got = "?"
		}
		if got != tt.want || effect.Commutes(a, b) != (got == "") || effect.Commutes(b, a) != (got == "") {
			t.Errorf("%s\n%s\nobstacle %q, want %q: %+v", tt.a, tt.b, got, tt.want, effect.Between(a, b))
		}
	}
}

// TestWorldCounts: what isn't known of the surroundings is an obstacle.
func TestWorldCounts(t *testing.T) {
	known := func() effect.World {
		return effect.World{Scene: effect.Scene{Workdir: "/app", Home: "/root", Vars: map[string]string{}}}
	}
	for name, change := range map[string]func(*effect.World){
		"no WORKDIR":          func(w *effect.World) { w.Workdir = "" },
		"PATH leads there":    func(w *effect.World) { w.Vars["PATH"] = "/usr/bin:/app/bin" },
		"HOME is there":       func(w *effect.World) { w.Home = "/app" },
		"the folder's a link": func(w *effect.World) { w.Link = func(p string) (string, bool) { return p + " may be a link", true } },
	} {
		list := instructions(t, "COPY . .\n"+apt)
		w := known()
		if !effect.Commutes(effect.Of(list[0], w), effect.Of(list[1], w)) {
			t.Fatal("they should commute")
		}
		if change(&w); effect.Commutes(effect.Of(list[0], w), effect.Of(list[1], w)) {
			t.Errorf("%s: they commute", name)
		}
	}
}

func TestOf(t *testing.T) {
	list := instructions(t, apt+"\n"+user+"\nRUN make")
	e := effect.Of(list[0], effect.World{Scene: effect.Scene{Home: "/root"}})
	if e.Installs != "apt-get install" || e.Users != "" || !e.System || !e.Network || e.Command.Name() != "apt-get" || !slices.Contains(e.Vars, "V") {
		t.Errorf("apt: %+v", e)
	}
	e = effect.Of(list[1], effect.World{Scene: effect.Scene{Home: "/root"}})
	if e.Installs != "" || e.Users != "groupadd" || !e.System || e.Network {
		t.Errorf("users: %+v", e)
	}
	if e = effect.Of(list[2], effect.World{}); !strings.Contains(e.Unknown, "make") {
		t.Errorf("make: %+v", e)
	}
}

func TestObstacleNamesThePlace(t *testing.T) {
	install := effect.Effect{Writes: []effect.Place{{Path: "/app/.cache"}, {Path: "/app/node_modules"}}}
	perhaps := effect.Effect{Writes: []effect.Place{{Path: "/app/.cache", Perhaps: "the context may hold it"}}}
	if o := effect.Between(perhaps, install); o == nil || o.Certain || o.At != "" || o.Says != "the context may hold it" {
		t.Errorf("what may be there: %+v", o)
	}
	surely := perhaps
	surely.Writes = append(slices.Clip(perhaps.Writes), effect.Place{Path: "/app/node_modules"})
	if o := effect.Between(surely, install); o == nil || !o.Certain || o.At != "/app/node_modules" {
		t.Errorf("what is surely there comes first: %+v", o)
	}
}
