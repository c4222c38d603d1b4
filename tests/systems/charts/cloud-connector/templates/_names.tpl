{{- define "cc.app" -}}{{ .Release.Namespace }}-cloud-connector{{- end -}}
{{- define "cc.labels" -}}
app: {{ include "cc.app" . }}
chart: {{ .Chart.Name }}-{{ .Chart.Version }}
release: {{ .Release.Name }}
heritage: {{ .Release.Service }}
{{- end -}}
{{- define "cc.tunnel" -}}
{{- if .host }}
- host: {{ .host }}
- port: {{ .port }}
{{- end }}
{{- end -}}
