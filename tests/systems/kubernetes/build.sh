#!/bin/sh
# Builds a real kube-apiserver from Debian's source package and takes etcd beside it, into the folder given.
# Needs a Debian with the package index set up, no root and no container engine. Some ten minutes on two cores;
# what is there already is not built again.
set -eu

into=$(mkdir -p "${1:?folder to build into}" && cd "$1" && pwd)
if [ -x "$into/bin/kube-apiserver" ] && [ -x "$into/bin/kube-controller-manager" ] && [ -x "$into/bin/etcd" ]; then
  echo "kube-apiserver, kube-controller-manager and etcd are in $into/bin"
  exit 0
fi
work=$into/work
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/root" "$work/packages" "$into/bin"

# An apt of our own: the machine's sources, asked for source packages as well, and nothing installed.
for file in /etc/apt/sources.list.d/*.sources; do
  [ -e "$file" ] && sed 's/^Types:.*/Types: deb deb-src/' "$file" && echo
done > "$work/apt/all.sources"
[ -e /etc/apt/sources.list ] && sed -n 's/^deb /deb-src /p; /^deb /p' /etc/apt/sources.list > "$work/apt/all.list"
for form in sources list; do
  [ -s "$work/apt/all.$form" ] && chosen=$work/apt/all.$form
done
cat > "$work/apt/conf" <<CONF
Dir::Etc::sourcelist "${chosen:?no package sources in /etc/apt}";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "";
CONF
export APT_CONFIG="$work/apt/conf"
apt-get -qq update

cd "$work/packages"
apt-get -qq download golang-1.19-go golang-1.19-src etcd-server golang-github-modern-go-reflect2-dev
for package in *.deb; do
  dpkg-deb --extract "$package" "$work/root"
done
cp "$work/root/usr/bin/etcd" "$into/bin/etcd"

cd "$work"
tree=$work/gopath/src/k8s.io/kubernetes
mkdir -p "$(dirname "$tree")"
[ -d "$tree" ] || { apt-get -qq --download-only source kubernetes && dpkg-source -x kubernetes_*.dsc "$tree"; }
# The copy that comes with the source crashes on custom resources when built with this Go.
rm -rf "$tree/vendor/github.com/modern-go/reflect2"
cp -r root/usr/share/gocode/src/github.com/modern-go/reflect2 "$tree/vendor/github.com/modern-go/reflect2"
# Debian keeps the sources of Go apart from its tools and links them by absolute paths.
for part in api misc src test; do
  [ -e "root/usr/share/go-1.19/$part" ] && ln -sfn "../../share/go-1.19/$part" "root/usr/lib/go-1.19/$part"
done

export GOROOT="$work/root/usr/lib/go-1.19" GOCACHE="$work/gocache" GOPATH="$work/gopath"
# Its own build does without modules as well: what the source says of them is not what this Go wants to hear.
export GO111MODULE=off GOPROXY=off CGO_ENABLED=0
export PATH="$GOROOT/bin:$PATH"
cd "$tree"
# The one generated file that is not in the source: the description of the API.
nice -n 19 go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
described=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg staging/src/k8s.io \
  | grep -v -E '/code-generator/|/sample-|/test|pkg/generated|_test.go' | xargs -n1 dirname | sort -u \
  | sed 's,^staging/src/,k8s.io/kubernetes/vendor/,; s,^pkg/,k8s.io/kubernetes/pkg/,' | paste -sd,)
nice -n 19 "$work/openapi-gen" -i "$described" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
  -h hack/boilerplate/boilerplate.generatego.txt -r "$work/violations" -o "$GOPATH/src" 2> "$work/openapi.log"
version="-X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=20"
version="$version -X k8s.io/component-base/version.gitVersion=v1.20.2"
for program in kube-apiserver kube-controller-manager; do
  nice -n 19 go build -ldflags "-s -w $version" -o "$into/bin/$program" "./cmd/$program"
done
rm -rf "$work"
echo "kube-apiserver, kube-controller-manager and etcd are in $into/bin"
