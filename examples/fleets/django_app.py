"""
Django, in one file: who a request is for is said by a middleware.

    pip install django gunicorn "ramp-tracing[openai]"
    gunicorn django_app:application --chdir examples/fleets --workers 4

Needs OPENAI_API_KEY and RAMP_API_KEY. In a project, `instrument()` is called in wsgi.py or asgi.py, where every process
that serves passes once, and not in settings.py, which `manage.py migrate` reads too.
"""

import os
import secrets
from collections.abc import Callable

import django
import openai
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

import ramp_tracing

ramp_tracing.instrument(trace={"team": "support"})


def who_pays(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """
    The block around a request. It stands behind AuthenticationMiddleware where `request.user` is wanted.

    A StreamingHttpResponse is read after its end: open another block in the generator that makes it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        with ramp_tracing.trace(user=request.headers.get("X-User"), cost_center=request.headers.get("X-Cost-Center")):
            return get_response(request)

    return middleware


def ask(request: HttpRequest) -> JsonResponse:
    """One call of a model, which says nothing about who it is for."""
    answer = openai.OpenAI().responses.create(model="gpt-4.1", input=request.GET["question"])
    return JsonResponse({"answer": answer.output_text})


urlpatterns = [path("ask", ask)]

settings.configure(
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(32),
    ALLOWED_HOSTS=["localhost", "127.0.0.1", "testserver"],
    MIDDLEWARE=[f"{__name__}.who_pays"],
    ROOT_URLCONF=__name__,
)
django.setup()
application = get_wsgi_application()
